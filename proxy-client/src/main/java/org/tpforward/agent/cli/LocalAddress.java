package org.tpforward.agent.cli;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.socket.Endpoint;

/**
 * A socket of this machine as users write it: {@code host:port} on loopback, {@code [::1]:port},
 * {@code unix:/path}, {@code unix:@abstract}. Only numbers and {@code localhost} are hosts: no name
 * is looked up.
 */
final class LocalAddress {
  private static final int MAX_UNIX_BYTES = 107;
  private static final int MAX_PORT = 65535;
  private static final String FORMS =
      "write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME";

  private LocalAddress() {}

  /** What the address is for. */
  enum Purpose {
    /** Somebody listens there already, so a port must be named. */
    CONNECT,
    /** This program will; port 0 lets the system choose. */
    LISTEN
  }

  /**
   * Whether a word is meant for an address rather than for a service: services have no colon (RFC
   * 6335, section 5.1).
   */
  static boolean isMeant(String word) {
    return word.indexOf(':') >= 0;
  }

  /**
   * Reads an address.
   *
   * @throws AgentException with {@link ExitCode#USAGE}
   */
  static Endpoint parse(String text, Purpose purpose) throws AgentException {
    if (text.startsWith("unix:@")) {
      return new Endpoint.UnixAbstract(name(text, text.substring("unix:@".length())));
    }
    if (text.startsWith("unix:")) {
      String path = name(text, text.substring("unix:".length()));
      if (!path.startsWith("/")) {
        throw bad(text, "the path of a socket begins with /");
      }
      return new Endpoint.UnixPath(path);
    }
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      throw bad(text, FORMS);
    }
    return new Endpoint.Ip(
        host(text, text.substring(0, colon)), port(text, text.substring(colon + 1), purpose));
  }

  private static String name(String text, String name) throws AgentException {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || name.indexOf('\0') >= 0) {
      throw bad(text, FORMS);
    }
    if (bytes > MAX_UNIX_BYTES) {
      throw bad(
          text, "a Unix socket's name has at most " + MAX_UNIX_BYTES + " bytes, not " + bytes);
    }
    return name;
  }

  private static InetAddress host(String text, String host) throws AgentException {
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    String number = bracketed ? host.substring(1, host.length() - 1) : host;
    if (host.equals("localhost")) {
      number = "127.0.0.1";
    } else if (!InetAddresses.isInetAddress(number) || bracketed != number.contains(":")) {
      throw bad(text, FORMS);
    }
    InetAddress address = InetAddresses.forString(number);
    if (!address.isLoopbackAddress()) {
      throw bad(text, "only sockets of this machine: 127.0.0.1 or [::1]");
    }
    return address;
  }

  private static int port(String text, String port, Purpose purpose) throws AgentException {
    int least = purpose == Purpose.LISTEN ? 0 : 1;
    int number = port.matches("[0-9]{1,5}") ? Integer.parseInt(port) : -1;
    if (number < least || number > MAX_PORT) {
      throw bad(text, "a port is " + least + " to " + MAX_PORT);
    }
    return number;
  }

  private static AgentException bad(String text, String why) {
    return new AgentException(ExitCode.USAGE, "\"" + text + "\" is no address: " + why);
  }
}
