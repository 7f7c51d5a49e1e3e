package org.tpforward.agent.telepathy;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tpforward.telepathy.Names;

/**
 * A connection that is on the bus.
 *
 * @param service its bus name, {@code org.freedesktop.Telepathy.Connection.CM.PROTOCOL.ACCOUNT}
 * @param selfId who it is on its network, empty while that is not known
 */
record Account(String service, String selfId) {
  static final String CONNECTION = Names.PREFIX + ".Connection";
  static final String PREFIX = CONNECTION + ".";

  /** Its object path, by the specification made of its name. */
  String path() {
    return "/" + service.replace('.', '/');
  }

  /** CM, protocol and account, with slashes between, as the user may write them. */
  String shortName() {
    String[] parts = service.substring(PREFIX.length()).split("\\.", 3);
    return String.join("/", parts);
  }

  private String part(int index) {
    String[] parts = service.substring(PREFIX.length()).split("\\.", 3);
    return index < parts.length ? parts[index] : "";
  }

  /** Whether the user means it by what he wrote after --account. */
  boolean matches(String wanted) {
    String name = service.substring(PREFIX.length());
    if (wanted.equals(service)
        || wanted.replace('/', '.').equals(name)
        || wanted.equals(selfId)
        || wanted.equals(part(2))
        || escape(wanted).equals(part(2))) {
      return true;
    }
    Wanted parts = Wanted.parse(wanted);
    return parts != null
        && (parts.manager == null || parts.manager.equals(part(0)))
        && parts.protocol.replace('-', '_').equals(part(1))
        && (parts.account.equals(selfId) || escape(parts.account).equals(part(2)));
  }

  /**
   * An account that may not be connected yet.
   *
   * @param manager null: whichever knows the protocol
   */
  record Wanted(@Nullable String manager, String protocol, String account) {
    /** Reads {@code CM/PROTOCOL/ACCOUNT} or {@code PROTOCOL:ACCOUNT}; null for anything else. */
    static @Nullable Wanted parse(String wanted) {
      String[] parts = wanted.split("/", 3);
      if (parts.length == 3
          && parts[0].matches("[A-Za-z][A-Za-z0-9_]*")
          && parts[1].matches("[A-Za-z][A-Za-z0-9_-]*")
          && !parts[2].isEmpty()) {
        return new Wanted(parts[0], parts[1].replace('_', '-'), parts[2]);
      }
      int colon = wanted.indexOf(':');
      if (colon > 0
          && wanted.substring(0, colon).matches("[A-Za-z][A-Za-z0-9-]*")
          && colon < wanted.length() - 1) {
        return new Wanted(null, wanted.substring(0, colon), wanted.substring(colon + 1));
      }
      return null;
    }
  }

  /** As telepathy-glib makes an identifier of any text: others than letters and digits as _hh. */
  static String escape(String text) {
    StringBuilder out = new StringBuilder();
    for (byte b : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean digit = c >= '0' && c <= '9';
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (letter || (digit && !out.isEmpty())) {
        out.append(c);
      } else {
        out.append(String.format(Locale.ROOT, "_%02x", (int) c));
      }
    }
    return out.isEmpty() ? "_" : out.toString();
  }

  /** For lists. */
  @Override
  public String toString() {
    return selfId.isEmpty() ? shortName() : shortName() + " (" + selfId + ")";
  }
}
