package org.tpforward.agent.link;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Where to connect to, as the user wrote it. What the configuration makes of it is {@link
 * SshConfig}.
 *
 * @param user the login name, or null for the configuration's
 * @param host a name, an alias of the configuration, or an address (IPv6 without brackets); never
 *     empty, never with a leading {@code -}, without spaces, control characters and anything that a
 *     shell would interpret
 * @param port 1 to 65535, or 0 for the configuration's
 */
public record Destination(@Nullable String user, String host, int port) {
  private static final String SCHEME = "ssh://";
  // A host and a user are put into a ProxyCommand, which a shell reads.
  private static final String UNSAFE_IN_HOST = "'`\"$\\;&<>|(){}/@";
  private static final String UNSAFE_IN_USER = "'`\";&<>|(){}";

  /** Checks what the components promise. */
  public Destination {
    if (host.isEmpty() || host.startsWith("-") || !isPlain(host, UNSAFE_IN_HOST)) {
      throw new IllegalArgumentException("not a host name: \"" + printable(host) + "\"");
    }
    if (user != null
        && (user.isEmpty()
            || user.startsWith("-")
            || user.endsWith("\\")
            || !isPlain(user, UNSAFE_IN_USER))) {
      throw new IllegalArgumentException("not a user name: \"" + printable(user) + "\"");
    }
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("not a port: " + port);
    }
  }

  /**
   * Reads {@code [user@]host[:port]} or {@code ssh://[user@]host[:port][/]}. An IPv6 address with a
   * port stands in brackets; without one, brackets are optional.
   *
   * @throws IllegalArgumentException with a message for the user, if it is neither
   */
  public static Destination parse(String text) {
    boolean uri = text.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    String rest = uri ? text.substring(SCHEME.length()) : text;
    if (uri && rest.endsWith("/")) {
      rest = rest.substring(0, rest.length() - 1);
    }
    int at = rest.lastIndexOf('@');
    String user = at < 0 ? null : rest.substring(0, at);
    if (uri && user != null) {
      user = URLDecoder.decode(user.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
    String address = rest.substring(at + 1);
    if (address.startsWith("[")) {
      int end = address.indexOf(']');
      if (end < 0) {
        throw new IllegalArgumentException("no closing bracket: \"" + printable(text) + "\"");
      }
      String after = address.substring(end + 1);
      if (!after.isEmpty() && !after.startsWith(":")) {
        throw new IllegalArgumentException("not a destination: \"" + printable(text) + "\"");
      }
      return new Destination(
          user, address.substring(1, end), after.isEmpty() ? 0 : port(after.substring(1)));
    }
    int colon = address.indexOf(':');
    if (colon >= 0 && colon == address.lastIndexOf(':')) {
      return new Destination(user, address.substring(0, colon), port(address.substring(colon + 1)));
    }
    return new Destination(user, address, 0);
  }

  /** As a user would write it: the inverse of {@link #parse}. */
  @Override
  public String toString() {
    String shown = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
    return (user == null ? "" : user + "@") + shown + (port == 0 ? "" : ":" + port);
  }

  private static int port(String digits) {
    int port = 0;
    if (digits.length() <= 5 && digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      port = digits.isEmpty() ? 0 : Integer.parseInt(digits);
    }
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("not a port: \"" + printable(digits) + "\"");
    }
    return port;
  }

  private static boolean isPlain(String text, String unsafe) {
    return text.codePoints()
        .noneMatch(c ->
            Character.isISOControl(c)
                || Character.isWhitespace(c)
                || Character.getType(c) == Character.FORMAT
                || unsafe.indexOf(c) >= 0);
  }

  private static String printable(String text) {
    return OneLine.of(text, 100);
  }
}
