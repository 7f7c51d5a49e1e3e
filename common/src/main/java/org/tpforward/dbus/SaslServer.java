package org.tpforward.dbus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.function.LongPredicate;

/**
 * The server's side of SASL (D-Bus specification, "Authentication Protocol", "Authentication state
 * diagrams"), with the one mechanism EXTERNAL: who the peer is was asked from the kernel, and what
 * it says of itself must agree. ANONYMOUS only for who has been let in already. Descriptors are not
 * passed.
 *
 * <p>Replies go out line by line, so clients that wait (GDBus) and clients that send everything at
 * once (sd-bus) are both served; what a client sends after BEGIN is in {@link Result#leftOver}.
 */
public final class SaslServer {
  /** How many lines one client may send; an honest one needs four or five. */
  static final int MAX_LINES = 32;

  private enum State {
    AUTH,
    DATA,
    BEGIN
  }

  /**
   * A client that is in.
   *
   * @param uid its uid, as the kernel says; -1 of one that is {@link #vouched} for
   * @param leftOver bytes that came after BEGIN, to be read before the channel
   */
  public record Result(long uid, ByteBuffer leftOver) {}

  private final SaslLines lines;
  private final long peerUid;
  private final boolean allowed;
  private final boolean anonymous;
  private final boolean vouched;
  private final String guid;
  private State state = State.AUTH;

  private SaslServer(
      SaslLines lines,
      long peerUid,
      boolean allowed,
      boolean anonymous,
      boolean vouched,
      String guid) {
    this.lines = lines;
    this.peerUid = peerUid;
    this.allowed = allowed;
    this.anonymous = anonymous;
    this.vouched = vouched;
    this.guid = guid;
  }

  /**
   * Lets a client in, in the calling thread.
   *
   * @param channel blocking; the caller closes it, unless time runs out
   * @param peerUid from the kernel; -1 if it did not say, which rejects everybody
   * @param allowed which uids may in at all
   * @param guid of this server, 32 hexadecimal digits
   * @param timeout for the whole exchange; then the channel is closed, which ends a read that waits
   * @throws AuthenticationException if the client is not in: it was rejected and gave up, broke the
   *     protocol, or the time is over
   */
  public static Result authenticate(
      ByteChannel channel, long peerUid, LongPredicate allowed, String guid, Duration timeout)
      throws IOException {
    return authenticate(
        channel, peerUid, peerUid >= 0 && allowed.test(peerUid), false, false, guid, timeout);
  }

  /**
   * As {@link #authenticate}, of a client that has been let in already by who the kernel says it
   * is: it may call itself ANONYMOUS too, as clients of a D-Bus tube do where the access control is
   * Localhost. What it says under EXTERNAL must agree all the same.
   */
  public static Result admitted(ByteChannel channel, long peerUid, String guid, Duration timeout)
      throws IOException {
    return authenticate(channel, peerUid, peerUid >= 0, true, false, guid, timeout);
  }

  /**
   * As {@link #authenticate}, of a client who has proved elsewhere who it is, on another machine
   * perhaps: the uid that it names under EXTERNAL is one over there, and means nothing here.
   */
  public static Result vouched(ByteChannel channel, String guid, Duration timeout)
      throws IOException {
    return authenticate(channel, -1, true, false, true, guid, timeout);
  }

  private static Result authenticate(
      ByteChannel channel,
      long peerUid,
      boolean allowed,
      boolean anonymous,
      boolean vouched,
      String guid,
      Duration timeout)
      throws IOException {
    if (!isGuid(guid)) {
      throw new IllegalArgumentException("a GUID is 32 hexadecimal digits");
    }
    SaslServer server =
        new SaslServer(new SaslLines(channel), peerUid, allowed, anonymous, vouched, guid);
    return SaslDeadline.bound(channel, timeout, server::run);
  }

  static boolean isGuid(String s) {
    return s.length() == 32 && Hex.decode(s) != null;
  }

  private Result run() throws IOException {
    int first = lines.octet();
    if (first != 0) {
      throw new AuthenticationException("the first byte is " + first + ", not NUL");
    }
    for (int i = 0; i < MAX_LINES; i++) {
      String line = lines.line();
      int space = line.indexOf(' ');
      String command = space < 0 ? line : line.substring(0, space);
      String rest = space < 0 ? "" : line.substring(space + 1);
      if (command.equals("BEGIN")) {
        if (state != State.BEGIN) {
          throw new AuthenticationException("BEGIN before the client was accepted");
        }
        return new Result(peerUid, lines.leftOver());
      }
      answer(command, rest);
    }
    throw new AuthenticationException("not authenticated after " + MAX_LINES + " lines");
  }

  private void answer(String command, String rest) throws IOException {
    switch (command) {
      case "AUTH" -> {
        if (state == State.AUTH) {
          auth(rest);
        } else {
          lines.send("ERROR AUTH is not expected now");
        }
      }
      case "DATA" -> {
        if (state == State.DATA) {
          identity(rest);
        } else {
          lines.send("ERROR DATA is not expected now");
        }
      }
      case "CANCEL", "ERROR" -> reject();
      case "NEGOTIATE_UNIX_FD" -> lines.send("ERROR Unix file descriptors are not passed");
      default -> lines.send("ERROR Unknown command");
    }
  }

  private void auth(String rest) throws IOException {
    if (rest.equals("EXTERNAL")) {
      state = State.DATA;
      lines.send("DATA");
    } else if (rest.startsWith("EXTERNAL ")) {
      identity(rest.substring("EXTERNAL ".length()));
    } else if (anonymous
        && allowed
        && (rest.equals("ANONYMOUS") || rest.startsWith("ANONYMOUS "))) {
      accept(); // Its trace is of no use to anybody.
    } else {
      reject();
    }
  }

  private void accept() throws IOException {
    state = State.BEGIN;
    lines.send("OK " + guid);
  }

  /**
   * @param hex the uid in decimal digits, in hexadecimal; or empty: whoever the kernel says
   */
  private void identity(String hex) throws IOException {
    if (allowed && (hex.isEmpty() || vouched || uid(hex) == peerUid)) {
      accept();
    } else {
      reject();
    }
  }

  private void reject() throws IOException {
    state = State.AUTH;
    lines.send(anonymous ? "REJECTED EXTERNAL ANONYMOUS" : "REJECTED EXTERNAL");
  }

  /** The uid, -1 if it is none. */
  private static long uid(String hex) {
    byte[] digits = Hex.decode(hex);
    if (digits == null || digits.length == 0 || digits.length > 10) {
      return -1;
    }
    long uid = 0;
    for (byte digit : digits) {
      if (digit < '0' || digit > '9') {
        return -1;
      }
      uid = 10 * uid + digit - '0';
    }
    return uid;
  }
}
