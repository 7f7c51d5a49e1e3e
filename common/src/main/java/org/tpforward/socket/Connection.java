package org.tpforward.socket;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocketChannel;
import org.tpforward.relay.Duplex;

/**
 * A connected local socket. Unix paths and TCP are the JDK's own channels; abstract names, and
 * whatever must send or read credentials, are junixsocket's, whose two directions may only be used
 * on platform threads.
 */
public final class Connection implements Duplex {
  private final SocketChannel channel;
  private final Endpoint at;

  /**
   * Takes a socket over.
   *
   * @param channel connected and blocking
   * @param at where the listening side of it is
   */
  Connection(SocketChannel channel, Endpoint at) {
    this.channel = channel;
    this.at = at;
  }

  /** Connects to a local socket. */
  public static Connection connect(Endpoint where) throws IOException {
    try {
      return switch (where) {
        case Endpoint.UnixPath(String path) ->
            new Connection(SocketChannel.open(UnixDomainSocketAddress.of(path)), where);
        case Endpoint.UnixAbstract name -> connectForCredentials(name);
        case Endpoint.Ip ip ->
            new Connection(
                SocketChannel.open(new InetSocketAddress(ip.address(), ip.port())), where);
      };
    } catch (IOException e) {
      throw new IOException("cannot connect to " + where + ": " + e.getMessage(), e);
    }
  }

  /** Connects from that local address: access control Port. */
  public static Connection connect(Endpoint.Ip where, Endpoint.Ip from) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.bind(new InetSocketAddress(from.address(), from.port()));
      channel.connect(new InetSocketAddress(where.address(), where.port()));
      return new Connection(channel, where);
    } catch (IOException e) {
      channel.close();
      throw new IOException("cannot connect to " + where + ": " + e.getMessage(), e);
    }
  }

  /** Connects to a Unix socket, so that {@link CredentialByte} can be sent. */
  static Connection connectForCredentials(Endpoint where) throws IOException {
    AFUNIXSocketChannel channel = AFUNIXSocketChannel.open();
    try {
      channel.connect(UnixAddresses.of(where));
      return new Connection(channel, where);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** The channel beneath. */
  public SocketChannel channel() {
    return channel;
  }

  /** Where the peer's socket is, for TCP; null for Unix sockets. */
  public Endpoint.@Nullable Ip remote() throws IOException {
    return channel.getRemoteAddress() instanceof InetSocketAddress address ? ip(address) : null;
  }

  /** Where this socket is, for TCP; null for Unix sockets. */
  public Endpoint.@Nullable Ip local() throws IOException {
    return channel.getLocalAddress() instanceof InetSocketAddress address ? ip(address) : null;
  }

  private static Endpoint.Ip ip(InetSocketAddress address) {
    return new Endpoint.Ip(address.getAddress(), address.getPort());
  }

  long peerUid() throws IOException {
    if (channel instanceof AFUNIXSocketChannel unix) {
      return unix.getPeerCredentials().getUid();
    }
    if (at instanceof Endpoint.Ip) {
      Endpoint.Ip peer = remote();
      Endpoint.Ip here = local();
      return peer == null || here == null ? PeerCredentials.NOBODY : TcpOwners.ownerOf(peer, here);
    }
    return Uids.of(channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user());
  }

  @Override
  public int read(ByteBuffer dst) throws IOException {
    return channel.read(dst);
  }

  @Override
  public int write(ByteBuffer src) throws IOException {
    int length = src.remaining();
    while (src.hasRemaining()) {
      channel.write(src);
    }
    return length;
  }

  @Override
  public void shutdownOutput() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing is left to be lost.
    }
  }

  @Override
  public void reset() {
    if (at instanceof Endpoint.Ip && channel.isOpen()) {
      try {
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
      } catch (IOException e) {
        // Closed by the peer already.
      }
    }
    close();
  }

  @Override
  public String toString() {
    return at.toString();
  }
}
