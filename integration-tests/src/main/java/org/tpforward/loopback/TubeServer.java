package org.tpforward.loopback;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import jdk.net.ExtendedSocketOptions;
import org.freedesktop.dbus.types.Variant;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/**
 * The D-Bus server of one end of a D-Bus tube: one client that has authenticated, then no other.
 * Thread-safe.
 */
final class TubeServer implements AutoCloseable {
  /** Takes the client over, its stream at the first message. */
  interface Clients {
    void authenticated(SocketChannel channel);
  }

  private final AtomicBoolean taken = new AtomicBoolean();
  private final AccessControl access;
  private final CmListener listener;
  private final boolean tcp;

  /**
   * Listens.
   *
   * @param tcp whether on TCP, where the kernel says nothing of the client
   * @param channel the path of the channel, for {@link Door}
   */
  TubeServer(
      AccessControl access,
      boolean tcp,
      SocketDirectory directory,
      String channel,
      Door door,
      Clients clients)
      throws Fault {
    this.access = access;
    this.tcp = tcp;
    SocketKind kind =
        new SocketKind(tcp ? AddressType.IPV4 : AddressType.UNIX, AccessControl.LOCALHOST);
    this.listener =
        CmListener.listen(
            kind,
            "",
            directory,
            new CmListener.Guests() {
              @Override
              public void admit(CmListener.Guest guest) throws IOException {
                examine(guest.channel());
                // A test takes the word for it that messages reach this client from now on.
                clients.authenticated(guest.channel());
                door.admitted(channel);
              }

              @Override
              public void refused(String why) {
                door.refused(channel, why);
              }
            });
  }

  private void examine(SocketChannel channel) throws IOException {
    // The very connection counts, not the success: a probe uses a tube up.
    if (!taken.compareAndSet(false, true)) {
      throw new IOException("a D-Bus tube takes one connection");
    }
    long own = ((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue();
    new TubeSasl(channel, peer(channel, own), own, access == AccessControl.LOCALHOST).run();
  }

  /** The uid at the other end, as far as it is the CM's own. */
  private static OptionalLong peer(SocketChannel channel, long own) throws IOException {
    if (channel.getRemoteAddress() instanceof InetSocketAddress) {
      return OptionalLong.empty();
    }
    boolean same =
        channel
            .getOption(ExtendedSocketOptions.SO_PEERCRED)
            .user()
            .equals(Files.getOwner(Path.of("/proc/self")));
    return same ? OptionalLong.of(own) : OptionalLong.empty();
  }

  /** What the client connects to, as a D-Bus address. */
  String address() {
    Variant<?> address = listener.address();
    if (tcp && address.getValue() instanceof Object[] pair) {
      return "tcp:host=" + pair[0] + ",port=" + pair[1] + ",family=ipv4";
    }
    byte[] path = Values.bytes(address);
    return "unix:path=" + new String(path == null ? new byte[0] : path, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    listener.close();
  }
}
