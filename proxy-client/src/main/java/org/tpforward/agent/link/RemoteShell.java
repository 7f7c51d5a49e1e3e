package org.tpforward.agent.link;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import org.apache.sshd.client.session.ClientSession;

/**
 * Runs commands on the server, where it allows that. Many servers for forwarding do not: they have
 * ForceCommand, a shell that says "This account is currently not available", or internal-sftp. That
 * is told apart from a command that fails.
 *
 * <p>Calls block. Any number of threads may call at once; where the server limits the number of
 * commands at a time (MaxSessions, 10) they wait for each other.
 */
public final class RemoteShell {
  /** The server runs no commands for this user, or answers each with something else. */
  public static final class NoExecException extends IOException {
    private static final long serialVersionUID = 1L;

    NoExecException(String message) {
      super(message);
    }
  }

  /**
   * What came of a command.
   *
   * @param status its exit status, or -1 if it was ended by a signal or none was sent
   * @param output the first bytes of its standard output, read as UTF-8
   * @param errors the first bytes of its standard error
   * @param truncated whether there was more of either
   */
  public record Result(int status, String output, String errors, boolean truncated) {}

  /** Gives the session to run commands in. */
  @FunctionalInterface
  interface Sessions {
    ClientSession session() throws IOException;
  }

  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int ERRORS = 4 << 10;
  // What start-up files may print before the script's output.
  private static final int NOISE = 64 << 10;

  private final Sessions sessions;
  private final Duration timeout;

  RemoteShell(Sessions sessions, Duration timeout) {
    this.sessions = sessions;
    this.timeout = timeout;
  }

  /** {@link #exec(String, String, Duration, int)} with the time-out of the link. */
  public Result exec(String command, int maxOutput) throws IOException {
    return exec(command, "", timeout, maxOutput);
  }

  /**
   * Runs a command in the user's login shell on the server.
   *
   * @param command as that shell reads it
   * @param input its standard input, short
   * @param bound how long it may take; its channel is closed then, which does not end a command
   *     that writes nothing
   * @param maxOutput how many bytes of standard output are kept
   * @throws NoExecException if the server refused to run it
   * @throws IOException if there is no link, or no end in time
   */
  public Result exec(String command, String input, Duration bound, int maxOutput)
      throws IOException {
    ClientSession session = sessions.session();
    SessionChannels channels = SessionChannels.of(session);
    BoundedOutput output = new BoundedOutput(maxOutput);
    BoundedOutput errors = new BoundedOutput(ERRORS);
    ExecChannel channel;
    try {
      channel = channels.open(() -> channel(command, input, output, errors), bound);
    } catch (IOException e) {
      if (session.isOpen() && !(e instanceof InterruptedIOException)) {
        throw new NoExecException(
            "the server opens no session channel: " + SessionEvents.describe(e));
      }
      throw e;
    }
    try {
      boolean ended = channel.awaitEnd(bound);
      if (channel.refused()) {
        throw new NoExecException("the server refuses to run commands");
      }
      if (!ended) {
        throw new IOException("a command on the server did not end in " + bound.toSeconds() + " s");
      }
      if (!session.isOpen()) {
        throw new IOException("the link was lost while a command ran on the server");
      }
      Integer status = channel.getExitStatus();
      return new Result(
          status == null ? -1 : status,
          output.text(),
          errors.text(),
          output.truncated() || errors.truncated());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a command ran on the server");
    } finally {
      channels.close(channel);
    }
  }

  private static ExecChannel channel(
      String command, String input, BoundedOutput output, BoundedOutput errors) {
    ExecChannel channel = new ExecChannel(command);
    channel.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    channel.setOut(output);
    channel.setErr(errors);
    return channel;
  }

  /**
   * Runs a script for the POSIX shell, whatever the user's login shell is and whatever its start-up
   * files print: the script goes through standard input, and marks where its own output begins and
   * ends. {@code $PPID} in it is the process that the server's sshd runs this connection in, since
   * the login shell is replaced by {@code sh}.
   *
   * @param script must not read its standard input
   * @param maxOutput how many bytes of output are kept
   * @return the script's own output and exit status
   * @throws NoExecException if something else than the script was run: ForceCommand, nologin, a
   *     subsystem
   * @throws IOException if there is no link, or no end in time
   */
  public Result script(String script, int maxOutput) throws IOException {
    byte[] nonce = new byte[8];
    RANDOM.nextBytes(nonce);
    String mark = "tpforward-" + HexFormat.of().formatHex(nonce);
    String input =
        "printf '\\n%s\\n' "
            + mark
            + "-begin\n(\n"
            + script
            + "\n) </dev/null\nprintf '\\n%s %s\\n' "
            + mark
            + "-end \"$?\"\nexit 0\n";
    Result result = exec("exec sh", input, timeout, maxOutput + NOISE);
    String begin = "\n" + mark + "-begin\n";
    String end = "\n" + mark + "-end ";
    int from = result.output().indexOf(begin);
    int to = from < 0 ? -1 : result.output().indexOf(end, from);
    if (from < 0) {
      String said = OneLine.of(result.output() + " " + result.errors(), 120);
      throw new NoExecException(
          "the server does not run commands, but something else"
              + (said.isEmpty() ? " (status " + result.status() + ")" : ": " + said));
    }
    if (to < 0) {
      throw new IOException("a script on the server was cut off");
    }
    int status = number(result.output().substring(to + end.length()));
    return new Result(
        status,
        result.output().substring(Math.min(from + begin.length(), to), to),
        result.errors(),
        result.truncated());
  }

  /** Files over the same session, where the server has SFTP; the caller closes. */
  SftpClient sftp() throws IOException {
    return SftpClient.open(sessions.session(), timeout);
  }

  private static int number(String text) {
    String line = text.lines().findFirst().orElse("").strip();
    return line.matches("\\d{1,3}") ? Integer.parseInt(line) : -1;
  }

  /** A word for a POSIX shell that stands for exactly this text. */
  public static String quote(String word) {
    if (word.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a NUL in a shell word");
    }
    return "'" + word.replace("'", "'\\''") + "'";
  }
}
