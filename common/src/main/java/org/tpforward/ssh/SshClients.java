package org.tpforward.ssh;

import java.util.List;
import org.apache.sshd.client.ClientBuilder;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.config.hosts.HostConfigEntryResolver;
import org.apache.sshd.client.keyverifier.ServerKeyVerifier;
import org.apache.sshd.common.keyprovider.KeyIdentityProvider;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;

/** Makes SSH clients whose defaults are safe and fast; MINA's own are neither. */
public final class SshClients {
  private SshClients() {}

  /**
   * Begins, in a thread of its own, with what the first connection of a process needs of any
   * server: algorithms are loaded, and half a key exchange is made. To be called before the program
   * finds out where to connect. Whoever needs one of these things earlier waits for it; nobody
   * notices if it fails.
   */
  public static void prepare() {
    Thread.ofPlatform().daemon().name("ssh-prepare").start(SshClients::load);
  }

  private static void load() {
    try {
      newClient((session, address, key) -> false);
      EarlyKeys.make();
    } catch (Exception e) {
      // Who needs it will see for himself.
    }
  }

  /**
   * A client over TCP. See {@link #newClient(ServerKeyVerifier, Dialer)}.
   *
   * @param verifier decides about the server's key
   */
  public static SshClient newClient(ServerKeyVerifier verifier) {
    return newClient(verifier, Dialer.tcp());
  }

  /**
   * A client that is not started yet. It has no keys, reads no configuration and asks nobody: the
   * caller sets what it wants of these, the heartbeat ({@link
   * CoreModuleProperties#HEARTBEAT_INTERVAL} and {@link
   * CoreModuleProperties#HEARTBEAT_NO_REPLY_MAX}, without which a dead link is never noticed) and
   * {@link CoreModuleProperties#IO_CONNECT_TIMEOUT}; starts it, and stops it.
   *
   * @param verifier decides about the server's key
   * @param dialer makes the connections
   */
  public static SshClient newClient(ServerKeyVerifier verifier, Dialer dialer) {
    SshClient client =
        ClientBuilder.builder()
            .serverKeyVerifier(verifier)
            .hostConfigEntryResolver(HostConfigEntryResolver.EMPTY)
            .cipherFactories(Algorithms.ciphers())
            .macFactories(Algorithms.clientMacs())
            .signatureFactories(Algorithms.clientSignatures())
            .keyExchangeFactories(Algorithms.clientKeyExchanges())
            .kexExtensionHandler(Extensions.reader())
            .forwardingFilter(RejectAllForwardingFilter.INSTANCE)
            .channelFactories(
                List.of(
                    ForwardedChannel.factory(RemoteListeners.FORWARDED_STREAMLOCAL),
                    ForwardedChannel.factory(RemoteListeners.FORWARDED_TCPIP)))
            .build(true);
    client.setIoServiceFactoryFactory(new SocketTransport(dialer));
    client.setKeyIdentityProvider(KeyIdentityProvider.EMPTY_KEYS_PROVIDER);
    Defaults.apply(client);
    return client;
  }
}
