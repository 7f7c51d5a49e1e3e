package org.tpforward.server.user;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.sshd.common.net.InetAddressRange;

/**
 * The value of {@code from=} in authorized_keys (sshd(8)): patterns with {@code *} and {@code ?},
 * and ranges such as {@code 192.0.2.0/24}, separated by commas; one that begins with {@code !} and
 * matches refuses, whatever else matches. Addresses only: no name is looked up.
 */
final class AddressPatterns {
  private static final int MOST = 256;

  /** One of them. */
  private interface One {
    boolean matches(InetAddress address);
  }

  private record Signed(boolean refuses, One pattern) {}

  private final List<Signed> patterns;

  private AddressPatterns(List<Signed> patterns) {
    this.patterns = patterns;
  }

  /**
   * Reads a list.
   *
   * @throws IllegalArgumentException saying what is wrong
   */
  static AddressPatterns parse(String list) {
    List<Signed> patterns = new ArrayList<>();
    for (String item : list.split(",", -1)) {
      boolean refuses = item.startsWith("!");
      String pattern = refuses ? item.substring(1) : item;
      if (pattern.isEmpty()) {
        throw new IllegalArgumentException("an empty pattern in from=\"" + list + "\"");
      }
      if (patterns.size() == MOST) {
        throw new IllegalArgumentException("over " + MOST + " patterns in from=");
      }
      patterns.add(new Signed(refuses, pattern.contains("/") ? range(pattern) : text(pattern)));
    }
    return new AddressPatterns(List.copyOf(patterns));
  }

  private static One range(String cidr) {
    InetAddressRange range = InetAddressRange.fromCIDR(cidr);
    return range::contains;
  }

  private static One text(String pattern) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      regex.append(
          switch (c) {
            case '*' -> ".*";
            case '?' -> ".";
            default -> Pattern.quote(String.valueOf(c));
          });
    }
    Pattern compiled = Pattern.compile(regex.toString(), Pattern.CASE_INSENSITIVE);
    return address -> compiled.matcher(address.getHostAddress()).matches();
  }

  /** Whether one matches, and none that refuses. */
  boolean allow(InetAddress address) {
    boolean allowed = false;
    for (Signed signed : patterns) {
      if (signed.pattern.matches(address)) {
        if (signed.refuses) {
          return false;
        }
        allowed = true;
      }
    }
    return allowed;
  }
}
