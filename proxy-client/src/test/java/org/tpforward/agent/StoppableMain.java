package org.tpforward.agent;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** Answers at a control socket; once stopped, it ends when its standard input does. */
final class StoppableMain {
  private StoppableMain() {}

  public static void main(String[] arguments) throws Exception {
    CountDownLatch stopped = new CountDownLatch(1);
    try (ControlSocket control =
        ControlSocket.open(
            Path.of(arguments[0]), () -> TestStatus.of("child"), stopped::countDown)) {
      System.out.println("open");
      stopped.await();
      System.out.println(control.isOpen() ? "stopping" : "closed");
      int _ = System.in.read();
    }
  }
}
