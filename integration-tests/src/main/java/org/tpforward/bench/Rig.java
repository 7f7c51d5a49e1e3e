package org.tpforward.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Login;
import org.tpforward.harness.OneMachine;
import org.tpforward.harness.PrivateBus;
import org.tpforward.harness.PrivateSshd;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;

/**
 * What both ways have in common: a bus, an sshd, the load program's servers, and a wire that makes
 * the server a hundred milliseconds away. All of it runs as the current user, on this machine.
 */
final class Rig implements AutoCloseable {
  /** The host in the ssh configuration that is next door. */
  static final String NEAR = "server";

  /** The same host, {@link #ROUND_TRIP_MS} away. */
  static final String FAR = "far-server";

  /** Milliseconds. */
  static final int ROUND_TRIP_MS = 100;

  /** What an SSH client prefers differs; compared is the same cipher. */
  private static final String CIPHER = "Ciphers aes128-gcm@openssh.com";

  private final Deque<Runnable> undo = new ArrayDeque<>();
  private final OneMachine machine;
  private final Login desk;
  private final PrivateBus bus;
  private final Load load;
  private final BenchCm cm;
  private final int sshPort;
  private final Map<String, String> served = new HashMap<>();
  private boolean farReady;
  private int directories;

  private Rig() {
    machine = OneMachine.open();
    undo.push(machine::close);
    try {
      desk = machine.login(User.current());
      bus = PrivateBus.start(desk);
      undo.push(bus::close);
      sshPort = PrivateSshd.freePort();
      PrivateSshd sshd =
          PrivateSshd.start(
              machine, sshPort, "SetEnv HOME=" + desk.home(), "LogLevel INFO", CIPHER);
      undo.push(sshd::close);
      sshd.authorize(desk, desk.user().name());
      cm = BenchCm.start(bus.socket());
      undo.push(cm::close);
      load = Load.build(desk, machine);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Starts what every measurement needs. */
  static Rig open() {
    return new Rig();
  }

  Login desk() {
    return desk;
  }

  BenchCm cm() {
    return cm;
  }

  Load load() {
    return load;
  }

  String busSocket() {
    return bus.socket();
  }

  /** Where {@code bytes} come out for each connection. */
  String source(long bytes) {
    return serve("source", Long.toString(bytes));
  }

  /** Where bytes disappear. */
  String sink() {
    return serve("sink");
  }

  /** Where bytes come back. */
  String echo() {
    return serve("echo");
  }

  private String serve(String kind, String... more) {
    return served.computeIfAbsent(
        kind + String.join("", more),
        key -> {
          String socket = machine.scratch() + "/" + key;
          String[] arguments = new String[2 + more.length];
          arguments[0] = kind;
          arguments[1] = socket;
          System.arraycopy(more, 0, arguments, 2, more.length);
          Proc server = load.serve(arguments);
          undo.push(server::close);
          return socket;
        });
  }

  /** Makes {@link #FAR} known to both. */
  void needFar() {
    if (farReady) {
      return;
    }
    int port = PrivateSshd.freePort();
    Proc wire =
        load.serve(
            "delay",
            Integer.toString(port),
            Integer.toString(sshPort),
            Integer.toString(ROUND_TRIP_MS / 2));
    undo.push(wire::close);
    try {
      Path config = Path.of(desk.home(), ".ssh/config");
      append(config, "Host " + NEAR, "Host " + FAR, "Port " + sshPort, "Port " + port);
      append(Path.of(desk.home(), ".ssh/known_hosts"), ":" + sshPort + " ", ":" + port + " ");
    } catch (IOException e) {
      throw new HarnessException("cannot write ssh's configuration", e);
    }
    farReady = true;
  }

  /** Repeats what the file holds, some of its words replaced by others. */
  private static void append(Path file, String... wordsAndOthers) throws IOException {
    String text = Files.readString(file);
    for (int i = 0; i < wordsAndOthers.length; i += 2) {
      text = text.replace(wordsAndOthers[i], wordsAndOthers[i + 1]);
    }
    Files.writeString(file, text, StandardOpenOption.APPEND);
  }

  /** A directory for the sockets of one ssh. */
  String newDirectory() {
    try {
      return Files.createDirectory(Path.of(machine.scratch(), "ssh" + directories++)).toString();
    } catch (IOException e) {
      throw new HarnessException("cannot make a directory", e);
    }
  }

  @Override
  public void close() {
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
  }
}
