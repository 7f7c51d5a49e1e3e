package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.compression.BuiltinCompressions;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.pubkey.PublickeyAuthenticator;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/**
 * Makes SSH servers that can forward sockets and nothing else: no shell, no commands, no subsystem,
 * no agent, no X11; public keys only; no algorithm with SHA-1.
 */
public final class SshServers {
  /** Those that a client may ask for; the last ones only to be refused in clear words. */
  private static final List<String> CHANNEL_TYPES =
      List.of(
          SshChannels.DIRECT_STREAMLOCAL,
          SshChannels.DIRECT_TCPIP,
          "session",
          "x11",
          "auth-agent@openssh.com",
          "tun@openssh.com");

  private SshServers() {}

  /**
   * A server that is not started yet. The caller sets address, port and limits, starts it, and
   * stops it.
   *
   * @param hostKeys the server's own keys
   * @param users decides who is let in; called on the session's own reading thread: when it waits,
   *     that session waits
   * @param requests decides about channels and listeners
   * @param announcement what clients are told before they ask
   */
  public static SshServer newServer(
      KeyPairProvider hostKeys,
      PublickeyAuthenticator users,
      ServerRequests requests,
      Announcement announcement) {
    SshServer server =
        ServerBuilder.builder()
            .factory(Stoppable::new)
            .publickeyAuthenticator(users)
            .cipherFactories(Algorithms.ciphers())
            .macFactories(Algorithms.serverMacs())
            .signatureFactories(Algorithms.serverSignatures())
            .keyExchangeFactories(Algorithms.serverKeyExchanges())
            .compressionFactories(List.of(BuiltinCompressions.none))
            .kexExtensionHandler(Extensions.writer(announcement))
            .forwardingFilter(RejectAllForwardingFilter.INSTANCE)
            .channelFactories(channels(requests))
            .globalRequestHandlers(List.of(new GlobalRequests(requests)))
            .build(true);
    server.setIoServiceFactoryFactory(new SocketTransport());
    server.setKeyPairProvider(hostKeys);
    server.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
    server.setKeyboardInteractiveAuthenticator(null);
    server.setPasswordAuthenticator(null);
    server.setSubsystemFactories(List.of());
    Defaults.apply(server);
    return server;
  }

  /** MINA's, which cannot stop to listen without ending what is connected. */
  private static final class Stoppable extends SshServer {
    void stopListening() {
      IoAcceptor listening = acceptor;
      if (listening != null) {
        listening.unbind();
      }
    }
  }

  /** Takes no more connections; those that are there go on. */
  public static void stopListening(SshServer server) {
    if (server instanceof Stoppable stoppable) {
      stoppable.stopListening();
    }
  }

  private static List<ChannelFactory> channels(ServerRequests requests) {
    return CHANNEL_TYPES.stream().map(type -> RequestedChannel.factory(type, requests)).toList();
  }

  /**
   * Opens a channel to a client for a connection to what this side listens on for it. Blocks for
   * the client's answer.
   *
   * @param session the client's
   * @param listener where the connection was made, in the words of the client's request
   * @param originator from where; null on a Unix socket
   * @param timeout how long to wait for the answer; a later one closes the channel again
   * @return the stream; the caller closes it
   * @throws ChannelOpenFailedException if the client refused
   * @throws IOException if there was no answer, or the session is gone
   */
  public static Duplex openForwarded(
      Session session, Endpoint listener, @Nullable InetSocketAddress originator, Duration timeout)
      throws IOException {
    StreamChannel channel =
        switch (listener) {
          case Endpoint.UnixPath(String path) -> streamlocal(path);
          case Endpoint.UnixAbstract(String name) -> streamlocal("\0" + name);
          case Endpoint.Ip ip ->
              new StreamChannel(
                  RemoteListeners.FORWARDED_TCPIP,
                  body -> {
                    body.putString(ListenerNames.of(session).get(ip));
                    body.putUInt(ip.port());
                    body.putString(
                        originator == null ? "" : originator.getAddress().getHostAddress());
                    body.putUInt(originator == null ? 0 : originator.getPort());
                  });
        };
    return SshChannels.open(session, channel, timeout);
  }

  private static StreamChannel streamlocal(String path) {
    return new StreamChannel(
        RemoteListeners.FORWARDED_STREAMLOCAL,
        body -> {
          body.putString(path);
          body.putString("");
        });
  }
}
