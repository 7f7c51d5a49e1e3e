package org.tpforward.agent.link;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process in which the server's sshd runs one of our connections. After a link is lost sshd may
 * keep that process for hours, and with it our old connections to the bus, which still own their
 * names; so the next connection ends it.
 *
 * <p>How it is found: sshd runs each connection in a process of its own under the user's id ("sshd:
 * user@notty"; for root it is not split in two). The command of an exec request is a child of it:
 * {@code $PPID} of the shell that it runs. A number may be used again, so the start time of the
 * process (field 22 of /proc/PID/stat) and the boot's id are compared before anything is killed. On
 * servers other than Linux nothing is found, and nothing is killed.
 *
 * @param boot /proc/sys/kernel/random/boot_id
 * @param pid its process id
 * @param start its start time, in clock ticks since the boot
 */
record RemoteSession(String boot, long pid, long start) {
  private static final Logger log = LoggerFactory.getLogger(RemoteSession.class);
  private static final Pattern ANSWER = Pattern.compile("session ([0-9a-f-]{36}) (\\d+) (\\d+)");

  // After "pid (name) " field 22 is the 20th; the name may hold blanks and brackets.
  private static final String FIND =
      """
      read -r b < /proc/sys/kernel/random/boot_id
      read -r s < "/proc/$PPID/stat"
      s=${s##*) }
      set -- $s
      echo "session $b $PPID ${20}"
      """;

  private static final String END =
      """
      b=
      read -r b < /proc/sys/kernel/random/boot_id
      [ "$b" = "$boot" ] || exit 0
      [ "$pid" != "$PPID" ] || exit 0
      same() {
        s=
        { read -r s < /proc/$pid/stat; } 2>/dev/null || return 1
        s=${s##*) }
        set -- $s
        [ "$1" != Z ] && [ "${20}" = "$start" ]
      }
      same || exit 0
      kill -TERM $pid || exit 1
      kill -CONT $pid 2>/dev/null
      n=0
      while same; do
        n=$((n+1))
        [ $n -lt 30 ] || { kill -KILL $pid; break; }
        sleep 0.1 2>/dev/null || sleep 1
      done
      echo ended
      """;

  /** Learns the process of the shell's connection; null where it cannot be told. */
  static @Nullable RemoteSession find(RemoteShell shell) {
    try {
      Matcher answer = ANSWER.matcher(shell.script(FIND, 1024).output());
      return answer.find()
          ? new RemoteSession(
              answer.group(1), Long.parseLong(answer.group(2)), Long.parseLong(answer.group(3)))
          : null;
    } catch (IOException | NumberFormatException e) {
      log.debug("the server's process for this connection is not known: {}", e.toString());
      return null;
    }
  }

  /** Ends the process, if it is still the same one, by a connection that is not its own. */
  void end(RemoteShell shell) {
    String script = "boot=" + boot + "\npid=" + pid + "\nstart=" + start + "\n" + END;
    try {
      RemoteShell.Result result = shell.script(script, 1024);
      if (result.output().contains("ended")) {
        log.info("ended the previous session on the server (process {})", pid);
      } else if (result.status() != 0) {
        log.warn("the previous session on the server (process {}) could not be ended", pid);
      }
    } catch (IOException e) {
      log.warn("the previous session on the server may still be there: {}", e.getMessage());
    }
  }
}
