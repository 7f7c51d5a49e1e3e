package org.tpforward.loopback;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;

/**
 * A socket on which the CM waits for its client, and which lets in only whom the access control
 * allows; everybody else is disconnected, and it goes on listening. Its threads are its own.
 */
final class CmListener implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CmListener.class);

  /** As small as gabble's. */
  private static final int BACKLOG = 5;

  /** Takes those that were let in, each on a thread that may block. */
  interface Guests {
    /** Takes a connection over. */
    void admit(Guest guest) throws IOException;

    /** Hears that somebody was disconnected. */
    void refused(String why);
  }

  /** Takes the socket's file away. */
  private interface Removal {
    void run() throws IOException;
  }

  /**
   * A connection that was let in.
   *
   * @param parameter what stands for it in NewLocalConnection's place: the byte under Credentials,
   *     the address under Port
   */
  record Guest(SocketChannel channel, Variant<?> parameter) {}

  private final SocketKind kind;
  private final ServerSocketChannel channel;
  private final Variant<?> address;
  private final Removal removal;
  private final Admission admission;
  private final Guests guests;

  private CmListener(
      SocketKind kind,
      ServerSocketChannel channel,
      Variant<?> address,
      Removal removal,
      Admission admission,
      Guests guests) {
    this.kind = kind;
    this.channel = channel;
    this.address = address;
    this.removal = removal;
    this.admission = admission;
    this.guests = guests;
  }

  /**
   * Listens.
   *
   * @param parameter the access control's, as the client gave it
   * @throws Fault InvalidArgument for a parameter that is wrong, NotAvailable if the machine has no
   *     such socket to give
   */
  static CmListener listen(
      SocketKind kind, Object parameter, SocketDirectory directory, Guests guests) throws Fault {
    Admission admission = Admission.of(kind, parameter);
    try {
      CmListener listener =
          switch (kind.type()) {
            case UNIX -> unix(kind, directory, admission, guests);
            case ABSTRACT_UNIX -> abstractUnix(kind, admission, guests);
            case IPV4, IPV6 -> ip(kind, admission, guests);
          };
      Thread.ofPlatform().daemon().name("loopback-accept").start(listener::run);
      return listener;
    } catch (IOException e) {
      throw Fault.notAvailable("cannot listen: " + e.getMessage());
    }
  }

  private static CmListener unix(
      SocketKind kind, SocketDirectory directory, Admission admission, Guests guests)
      throws IOException {
    Path path = directory.newPath();
    ServerSocketChannel channel;
    // The byte's credentials need a descriptor, which the JDK's own sockets do not give.
    if (kind.access() == AccessControl.CREDENTIALS) {
      channel = AFUNIXServerSocketChannel.open();
      channel.bind(AFUNIXSocketAddress.of(path), BACKLOG);
    } else {
      channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      channel.bind(UnixDomainSocketAddress.of(path), BACKLOG);
    }
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    return new CmListener(
        kind,
        channel,
        Values.variant(bytes, "ay"),
        () -> directory.remove(path),
        admission,
        guests);
  }

  private static CmListener abstractUnix(SocketKind kind, Admission admission, Guests guests)
      throws IOException {
    byte[] name =
        ("\0loopback-cm-" + SocketDirectory.randomName()).getBytes(StandardCharsets.UTF_8);
    AFUNIXServerSocketChannel channel = AFUNIXServerSocketChannel.open();
    channel.bind(AFUNIXSocketAddress.of(name), BACKLOG);
    return new CmListener(kind, channel, Values.variant(name, "ay"), () -> {}, admission, guests);
  }

  private static CmListener ip(SocketKind kind, Admission admission, Guests guests)
      throws IOException {
    InetAddress loopback = Addresses.loopback(kind.type());
    ServerSocketChannel channel = ServerSocketChannel.open();
    try {
      channel.bind(new InetSocketAddress(loopback, 0), BACKLOG);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
    return new CmListener(
        kind, channel, Values.address(loopback, port), () -> {}, admission, guests);
  }

  SocketKind kind() {
    return kind;
  }

  /** What the client must connect to. */
  Variant<?> address() {
    return address;
  }

  private void run() {
    while (channel.isOpen()) {
      try {
        SocketChannel accepted = channel.accept();
        // A stranger that sends no byte must not keep the rightful client waiting.
        Thread.ofPlatform().daemon().name("loopback-admit").start(() -> examine(accepted));
      } catch (IOException e) {
        if (channel.isOpen()) {
          LOG.warn("accepting at {} failed", address, e);
          close();
        }
      }
    }
  }

  private void examine(SocketChannel accepted) {
    try {
      if (accepted.getRemoteAddress() instanceof InetSocketAddress) {
        accepted.setOption(StandardSocketOptions.TCP_NODELAY, true);
      }
      guests.admit(new Guest(accepted, admission.check(accepted)));
    } catch (IOException e) {
      closeQuietly(accepted);
      guests.refused(String.valueOf(e.getMessage()));
    }
  }

  static void closeQuietly(@Nullable AutoCloseable closeable) {
    if (closeable != null) {
      try {
        closeable.close();
      } catch (Exception e) {
        LOG.debug("closing", e);
      }
    }
  }

  /** Stops listening and removes the socket; connections stay. Idempotent; any thread. */
  @Override
  public void close() {
    closeQuietly(channel);
    try {
      removal.run();
    } catch (IOException e) {
      LOG.debug("removing {}", address, e);
    }
  }
}
