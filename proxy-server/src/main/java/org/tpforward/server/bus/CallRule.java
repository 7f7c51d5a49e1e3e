package org.tpforward.server.bus;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.Names;

/**
 * Calls that are let through to a name which otherwise is only seen.
 *
 * @param destination which names
 * @param interfaceName null for any
 * @param member null for any
 * @param path null for any
 * @param isBelow whether objects below {@code path} are meant too
 */
record CallRule(
    NamePattern destination,
    @Nullable String interfaceName,
    @Nullable String member,
    @Nullable String path,
    boolean isBelow) {

  /**
   * Reads {@code NAME=[INTERFACE.MEMBER][@PATH]}, where the member may be {@code *}, and the path
   * may end with {@code /*}.
   *
   * @throws IllegalArgumentException with a line for a person
   */
  static CallRule parse(String text) {
    int equals = text.indexOf('=');
    if (equals < 0) {
      throw wrong(text, "no '=' after the name");
    }
    NamePattern destination = NamePattern.parse(text.substring(0, equals));
    String rule = text.substring(equals + 1);
    int at = rule.indexOf('@');
    String method = at < 0 ? rule : rule.substring(0, at);
    String path = at < 0 ? null : rule.substring(at + 1);
    String interfaceName = null;
    String member = null;
    if (!method.isEmpty() && !method.equals("*")) {
      int dot = method.lastIndexOf('.');
      interfaceName = method.substring(0, Math.max(0, dot));
      member = method.substring(dot + 1);
      if (!Names.isInterface(interfaceName)) {
        throw wrong(text, "'" + interfaceName + "' is no interface");
      }
      if (member.equals("*")) {
        member = null;
      } else if (!Names.isMember(member)) {
        throw wrong(text, "'" + member + "' is no method");
      }
    }
    boolean isBelow = path != null && path.endsWith("/*");
    if (path != null && isBelow) {
      path = path.equals("/*") ? "/" : path.substring(0, path.length() - 2);
    }
    if (path != null && !Names.isObjectPath(path)) {
      throw wrong(text, "'" + path + "' is no object path");
    }
    return new CallRule(destination, interfaceName, member, path, isBelow);
  }

  private static IllegalArgumentException wrong(String text, String what) {
    return new IllegalArgumentException(
        "'" + text + "' is not NAME=[INTERFACE.MEMBER][@PATH]: " + what);
  }

  /** Whether the call itself is meant; its destination is compared by who knows its names. */
  boolean allows(Header call) {
    return (interfaceName == null || interfaceName.equals(call.interfaceName()))
        && (member == null || member.equals(call.member()))
        && (path == null || isAt(path, Objects.requireNonNullElse(call.path(), "")));
  }

  private boolean isAt(String allowed, String called) {
    return called.equals(allowed)
        || (isBelow && called.startsWith(allowed.equals("/") ? allowed : allowed + "/"));
  }
}
