package org.tpforward.ssh;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.session.Session;
import org.jspecify.annotations.Nullable;

/**
 * What an SSH server says of itself that no other does, in SSH_MSG_EXT_INFO (RFC 8308), so that a
 * client need not try. Each is an extension under this project's domain:
 *
 * <ul>
 *   <li>{@code socket-credentials@tpforward.org}, value {@code 0}: what is written to a channel
 *       reaches a Unix socket with the credentials of the server's process (SCM_CREDENTIALS), and a
 *       first single byte reaches it alone where the socket wants one.
 *   <li>{@code abstract-sockets@tpforward.org}, value {@code 0}: in direct-streamlocal a path that
 *       begins with a NUL is an abstract name.
 *   <li>{@code telepathy-bus@tpforward.org}: the path to ask for in direct-streamlocal to reach the
 *       user's bus.
 *   <li>{@code listen-directory@tpforward.org}: in which directory streamlocal-forward may listen.
 *       It is private to the server's user, and sockets in it go with their listener.
 * </ul>
 *
 * @param credentials as above
 * @param abstractNames as above
 * @param bus an absolute path
 * @param listenDirectory an absolute path, without a slash at its end
 */
public record Announcement(
    boolean credentials,
    boolean abstractNames,
    @Nullable String bus,
    @Nullable String listenDirectory) {
  /** What a server has that announces nothing, such as OpenSSH's. */
  public static final Announcement NONE = new Announcement(false, false, null, null);

  private static final AttributeKey<Announcement> KEY = new AttributeKey<>();
  private static final String CREDENTIALS = "socket-credentials@tpforward.org";
  private static final String ABSTRACT = "abstract-sockets@tpforward.org";
  private static final String BUS = "telepathy-bus@tpforward.org";
  private static final String DIRECTORY = "listen-directory@tpforward.org";
  private static final String VERSION = "0";

  /** A path, and room for a name in a directory. */
  private static final int LONGEST_PATH = 107;

  private static final int LONGEST_DIRECTORY = 90;

  /** What the server of a client's session has announced so far; it does so before it lets in. */
  public static Announcement of(Session session) {
    Announcement known = session.getAttribute(KEY);
    return known == null ? NONE : known;
  }

  /** The extensions, for the server's message. */
  Map<String, byte[]> extensions() {
    Map<String, byte[]> all = new LinkedHashMap<>();
    put(all, CREDENTIALS, credentials ? VERSION : null);
    put(all, ABSTRACT, abstractNames ? VERSION : null);
    put(all, BUS, bus);
    put(all, DIRECTORY, listenDirectory);
    return all;
  }

  private static void put(Map<String, byte[]> all, String name, @Nullable String value) {
    if (value != null) {
      all.put(name, value.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** An extension of the server's has arrived; unknown ones, and unusable values, are ignored. */
  static void received(Session session, String name, byte[] value) {
    Announcement known = of(session);
    String text = value.length > LONGEST_PATH ? "" : new String(value, StandardCharsets.UTF_8);
    boolean path = text.startsWith("/") && text.indexOf('\0') < 0;
    Announcement now =
        switch (name) {
          case CREDENTIALS ->
              new Announcement(
                  text.equals(VERSION), known.abstractNames, known.bus, known.listenDirectory);
          case ABSTRACT ->
              new Announcement(
                  known.credentials, text.equals(VERSION), known.bus, known.listenDirectory);
          case BUS ->
              new Announcement(
                  known.credentials,
                  known.abstractNames,
                  path ? text : null,
                  known.listenDirectory);
          case DIRECTORY ->
              new Announcement(
                  known.credentials,
                  known.abstractNames,
                  known.bus,
                  path && value.length <= LONGEST_DIRECTORY ? text : null);
          default -> known;
        };
    session.setAttribute(KEY, now);
  }
}
