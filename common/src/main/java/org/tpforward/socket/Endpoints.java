package org.tpforward.socket;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.newsclub.net.unix.AFUNIXSocketAddress;

/** Names for sockets, and what the two socket libraries call them. */
public final class Endpoints {
  /**
   * sun_path of sockaddr_un less one byte: the trailing NUL of a path, the leading one of a name.
   */
  static final int MAX_UNIX_BYTES = 107;

  private static final SecureRandom RANDOM = new SecureRandom();

  private Endpoints() {}

  /**
   * An abstract name that nobody can guess, so that nobody else can have taken it before.
   *
   * @param prefix what tells a reader of /proc/net/unix whose it is; at most 70 bytes of UTF-8
   */
  public static Endpoint.UnixAbstract randomAbstract(String prefix) {
    byte[] random = new byte[16];
    RANDOM.nextBytes(random);
    return new Endpoint.UnixAbstract(prefix + "-" + HexFormat.of().formatHex(random));
  }

  /**
   * Refuses what {@link Endpoint} does not allow, before anything is opened.
   *
   * @throws SocketException for a name that is empty, too long or holds a NUL, a path that is not
   *     absolute, an address that is not loopback
   */
  static void check(Endpoint endpoint) throws SocketException {
    switch (endpoint) {
      case Endpoint.UnixPath(String path) -> {
        checkName(endpoint, path);
        if (!path.startsWith("/")) {
          throw new SocketException("not an absolute path: " + endpoint);
        }
      }
      case Endpoint.UnixAbstract(String name) -> checkName(endpoint, name);
      case Endpoint.Ip ip -> {
        if (!ip.isLoopback()) {
          throw new SocketException("not a loopback address: " + ip);
        }
      }
    }
  }

  private static void checkName(Endpoint endpoint, String name) throws SocketException {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    if (length == 0 || name.indexOf('\0') >= 0) {
      throw new SocketException("empty, or a NUL inside, in the name of a Unix socket");
    }
    if (length > MAX_UNIX_BYTES) {
      throw new SocketException(
          "too long for a Unix socket (%d bytes, at most %d): %s"
              .formatted(length, MAX_UNIX_BYTES, endpoint));
    }
  }

  /** Whether the JDK's channels can have it: their paths are a byte shorter than the kernel's. */
  static boolean fitsJdk(Endpoint.UnixPath unix) {
    return unix.path().getBytes(StandardCharsets.UTF_8).length < MAX_UNIX_BYTES;
  }

  /** The JDK's name for a path. */
  static SocketAddress jdkAddress(Endpoint.UnixPath unix) throws IOException {
    try {
      return UnixDomainSocketAddress.of(Path.of(unix.path()));
    } catch (InvalidPathException e) {
      // The locale's encoding (sun.jnu.encoding) cannot express it.
      throw new SocketException("the locale cannot express the path " + unix, e);
    }
  }

  /** junixsocket's name for either kind of Unix socket. */
  static AFUNIXSocketAddress nativeAddress(Endpoint unix) throws SocketException {
    return switch (unix) {
      case Endpoint.UnixPath(String path) ->
          AFUNIXSocketAddress.of(path.getBytes(StandardCharsets.UTF_8));
      case Endpoint.UnixAbstract(String name) ->
          AFUNIXSocketAddress.of(("\0" + name).getBytes(StandardCharsets.UTF_8));
      case Endpoint.Ip ip -> throw new SocketException("not a Unix socket: " + ip);
    };
  }

  static InetSocketAddress inetAddress(Endpoint.Ip ip) {
    return new InetSocketAddress(ip.address(), ip.port());
  }

  static Endpoint.Ip ip(InetSocketAddress address) {
    return new Endpoint.Ip(address.getAddress(), address.getPort());
  }

  /** The family to open a socket with, so that an IPv4 address never becomes a mapped IPv6 one. */
  static StandardProtocolFamily family(Endpoint.Ip ip) {
    return ip.address() instanceof Inet6Address
        ? StandardProtocolFamily.INET6
        : StandardProtocolFamily.INET;
  }
}
