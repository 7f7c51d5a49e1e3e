package org.tpforward.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;

/** {@link org.tpforward.harness.TubePeer} on a side, asked by a test. */
final class TubeAccount implements AutoCloseable {
  private final Proc proc;
  private final AtomicInteger numbers = new AtomicInteger();

  private TubeAccount(Proc proc) {
    this.proc = proc;
  }

  /** Starts it, and waits until its account is connected. */
  static TubeAccount start(Login login, String account) {
    Proc proc = login.start(Java.command(login.place(), "org.tpforward.harness.TubePeer", account));
    try {
      proc.awaitLine("^ready$");
      return new TubeAccount(proc);
    } catch (HarnessException e) {
      proc.close();
      throw e;
    }
  }

  /** A command that is under way. */
  record Asked(Proc proc, int number, String command) {
    /** How it ended: {@code ok …}, {@code refused ERROR: TEXT} or {@code failed WHY}. */
    String answer() {
      return proc.awaitLine("^" + number + " (.*)$").group(1);
    }

    /** What follows ok. */
    String ok() {
      String answer = answer();
      if (!answer.startsWith("ok ")) {
        throw new HarnessException(command + ": " + answer + "\n" + proc.said());
      }
      return answer.substring("ok ".length());
    }
  }

  /** Starts a command. */
  Asked start(String command) {
    int number = numbers.incrementAndGet();
    try {
      proc.stdin().write((number + " " + command + "\n").getBytes(StandardCharsets.UTF_8));
      proc.stdin().flush();
    } catch (IOException e) {
      throw new HarnessException(command + ": the program has ended\n" + proc.said(), e);
    }
    return new Asked(proc, number, command);
  }

  /** Runs a command that must succeed; what follows ok. */
  String ask(String command) {
    return start(command).ok();
  }

  /** Runs a command; the whole answer. */
  String tryTo(String command) {
    return start(command).answer();
  }

  Proc proc() {
    return proc;
  }

  @Override
  public void close() {
    proc.close();
  }
}
