package org.tpforward.dbus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;

/**
 * The client's side of SASL (D-Bus specification, "Authentication Protocol"). EXTERNAL is used with
 * an empty identity, "whoever the kernel says", so that nobody needs to know the uid at the far
 * end. Descriptors are not asked for.
 */
public final class SaslClient {
  /** Lines that a server may send where one is due; none needs more. */
  private static final int MAX_LINES = 8;

  /** "tpforward" in hexadecimal: ANONYMOUS takes a trace, for the server's logs. */
  private static final String TRACE = "7470666f7277617264";

  /**
   * A server that let us in.
   *
   * @param guid of the server, 32 hexadecimal digits
   * @param leftOver bytes that came after the last line, to be read before the channel
   */
  public record Result(String guid, ByteBuffer leftOver) {}

  private SaslClient() {}

  /**
   * Authenticates as EXTERNAL and begins, all in one write: one round trip. For message buses.
   *
   * @param channel blocking; the caller closes it, also to end a wait
   * @throws AuthenticationException if the server refuses, or does not speak SASL
   */
  public static Result external(ByteChannel channel) throws IOException {
    SaslLines lines = new SaslLines(channel);
    lines.sendRaw("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
    for (int i = 0; i < MAX_LINES; i++) {
      String line = lines.line();
      if (is(line, "OK")) {
        return result(line, lines);
      }
      if (is(line, "REJECTED")) {
        throw rejected(line);
      }
      if (!is(line, "DATA")) {
        throw unexpected(line);
      }
    }
    throw new AuthenticationException("the server asks for DATA again and again");
  }

  /** As {@link #external(ByteChannel)}; the channel is closed when the time is over. */
  public static Result external(ByteChannel channel, Duration timeout) throws IOException {
    return SaslDeadline.bound(channel, timeout, () -> external(channel));
  }

  /**
   * Authenticates as EXTERNAL, or else as ANONYMOUS, waiting for each answer. For D-Bus tubes,
   * where access control Localhost means that the kernel's word does not matter.
   *
   * @param channel blocking; the caller closes it, also to end a wait
   * @throws AuthenticationException if the server refuses both, or does not speak SASL
   */
  public static Result externalThenAnonymous(ByteChannel channel) throws IOException {
    SaslLines lines = new SaslLines(channel);
    lines.sendRaw("\0AUTH EXTERNAL\r\n");
    String line = lines.line();
    for (int i = 0; is(line, "DATA") && i < MAX_LINES; i++) {
      lines.send("DATA");
      line = lines.line();
    }
    if (is(line, "REJECTED")) {
      lines.send("AUTH ANONYMOUS " + TRACE);
      line = lines.line();
    }
    if (is(line, "REJECTED")) {
      throw rejected(line);
    }
    if (!is(line, "OK")) {
      throw unexpected(line);
    }
    lines.send("BEGIN");
    return result(line, lines);
  }

  /** As {@link #externalThenAnonymous(ByteChannel)}; the channel is closed when time is over. */
  public static Result externalThenAnonymous(ByteChannel channel, Duration timeout)
      throws IOException {
    return SaslDeadline.bound(channel, timeout, () -> externalThenAnonymous(channel));
  }

  private static Result result(String ok, SaslLines lines) throws AuthenticationException {
    String guid = ok.length() > 3 ? ok.substring(3) : "";
    if (!SaslServer.isGuid(guid)) {
      throw new AuthenticationException("the server's OK has no GUID");
    }
    return new Result(guid, lines.leftOver());
  }

  private static boolean is(String line, String command) {
    return line.startsWith(command)
        && (line.length() == command.length() || line.charAt(command.length()) == ' ');
  }

  private static AuthenticationException rejected(String line) {
    return new AuthenticationException("the server let us not in: " + Texts.line(line, 80));
  }

  private static AuthenticationException unexpected(String line) {
    return new AuthenticationException("not what a D-Bus server says: " + Texts.line(line, 80));
  }
}
