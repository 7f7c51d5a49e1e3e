package org.tpforward.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.HarnessException;
import org.tpforward.harness.Java;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;
import org.tpforward.harness.World;

/**
 * alice, at the desktop, sends bob a file, and reads a page of his: her client speaks to the
 * agent's bus, and the connection manager is on the server. {@code Demo [--one-machine] [--size
 * MIB]}; exit status 0 only if everything that it prints as held did hold.
 */
public final class Demo {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** After Ctrl-C everything fails, and nobody wants to read how. */
  private static volatile boolean interrupted;

  private final World world;
  private final int mebibytes;
  private final List<String> wrong = new ArrayList<>();

  private Demo(World world, int mebibytes) {
    this.world = world;
    this.mebibytes = mebibytes;
  }

  /** Runs the program. */
  public static void main(String[] arguments) throws IOException {
    boolean oneMachine = false;
    int mebibytes = 256;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--one-machine" -> oneMachine = true;
        case "--size" -> mebibytes = Integer.parseInt(arguments[++i]);
        default -> {
          System.err.println("usage: demo [--size MIB]");
          System.exit(2);
        }
      }
    }
    System.exit(run(oneMachine, mebibytes) ? 0 : 1);
  }

  private static boolean run(boolean oneMachine, int mebibytes) throws IOException {
    try (World world =
        oneMachine ? World.oneMachine("--profile", "gabble") : World.apart("--profile", "gabble")) {
      // Ctrl-C: whatever runs and lies about goes with the world.
      Thread end = new Thread(() -> interrupt(world), "end of the world");
      Runtime.getRuntime().addShutdownHook(end);
      Demo demo = new Demo(world, mebibytes);
      demo.show();
      Runtime.getRuntime().removeShutdownHook(end);
      return demo.wrong.isEmpty();
    } catch (HarnessException e) {
      if (!interrupted) {
        System.err.println("demo: " + e.getMessage());
      }
      return false;
    }
  }

  private static void interrupt(World world) {
    interrupted = true;
    world.close();
  }

  private void show() throws IOException {
    if (world.isApart()) {
      say("Two sides in namespaces of their own: no file, no loopback and no uid in common.");
      say("  desktop  " + world.desktop().address() + "  uid " + world.desk().user().uid());
      say("  server   " + world.server().address() + "  uid " + world.serv().user().uid());
    } else {
      say("This system allows no namespaces: both sides run on this machine, as one user.");
      say("An address that leaked through would work by accident here.");
    }
    try (AgentProcess agent = world.agent()) {
      say("$ tpforward agent server");
      say("  the server's bus is at " + agent.bus());
      transfer(agent);
      tube(agent);
      strangers(agent);
    }
    say("");
    say("For a host of your own, with a connection manager and a session bus there:");
    say("  eval \"$(bin/tpforward agent you@host.example)\"");
    say("  bin/tpforward send CONTACT FILE");
    say("  bin/tpforward tube offer CONTACT http 127.0.0.1:8080");
    say("");
    if (wrong.isEmpty()) {
      say("All of it held.");
    } else {
      wrong.forEach(what -> say("WRONG: " + what));
    }
  }

  private void transfer(AgentProcess agent) throws IOException {
    String source = world.desk().home() + "/holiday.tar";
    String inbox = world.serv().home() + "/inbox";
    Path sourceHere = world.desktop().path(source);
    String sent = BigFile.write(sourceHere, mebibytes);
    world.desktop().admin().run("chmod", "644", source).ok();
    world.serv().run("mkdir", "-p", inbox).ok();
    long before = agent.channelsOpened();

    Login bob = world.serv();
    try (Proc receive =
        bob.start(
            bob.tpforward("receive", "--account", "loopback:bob", "--once", "--dir", inbox))) {
      receive.awaitLine("(?i)waiting|ready");
      Login alice = agent.client();
      say("$ tpforward send bob " + source);
      List<String> command = alice.tpforward("send", "--account", "loopback:alice", "bob", source);
      int status;
      try (Proc send = alice.startOnTerminal(command)) {
        status = send.await(PATIENCE).status();
      }
      expect(status == 0, "tpforward send ended with status " + status);
      status = receive.await(PATIENCE).status();
      expect(status == 0, "tpforward receive ended with status " + status + "\n" + receive.said());
    }

    Path arrived = world.server().path(inbox + "/holiday.tar");
    String received = Files.exists(arrived) ? BigFile.checksum(arrived) : "nothing arrived";
    say("  sent      " + sent);
    say("  received  " + received);
    expect(sent.equals(received), "the checksums differ");

    long opened = agent.channelsOpened() - before;
    say(
        "  SSH channels: "
            + opened
            + ", 1 for alice's bus connection, "
            + (opened - 1)
            + " for the file");
    expect(opened == 2, "a file is one channel, a bus client one");
    Files.deleteIfExists(sourceHere);
    Files.deleteIfExists(arrived);
  }

  /** bob's page, which only his machine serves, read at the desktop. */
  private void tube(AgentProcess agent) throws IOException {
    Login bob = world.serv();
    Login alice = agent.client();
    String page = "This page is served on " + world.server().address() + ", to itself only.";
    String directory = bob.home() + "/www";
    bob.run("mkdir", "-p", directory).ok();
    Path index = world.server().path(directory + "/index.html");
    Files.writeString(index, page);
    world.server().admin().run("chmod", "644", directory + "/index.html").ok();
    long before = agent.channelsOpened();
    try (Proc web =
            bob.start(
                bob.place().javaHome() + "/bin/jwebserver",
                "-b",
                "127.0.0.1",
                "-p",
                "0",
                "-d",
                directory);
        Proc accept =
            alice.start(
                alice.tpforward("tube", "accept", "--account", "loopback:alice", "bob", "http"))) {
      String served = "127.0.0.1:" + web.awaitLine("http://127\\.0\\.0\\.1:([0-9]+)/").group(1);
      accept.awaitLine("^waiting ");
      say("$ tpforward tube accept bob http          (at the desktop)");
      say("$ tpforward tube offer alice http " + served + "   (on the server)");
      try (Proc offer =
          bob.start(
              bob.tpforward(
                  "tube", "offer", "--account", "loopback:bob", "alice", "http", served))) {
        read(alice, accept.awaitLine("^http from bob is at (\\S+)$").group(1), page);
        say("  " + accept.awaitLine("^connection 1 ended: .*").group());
        offer.awaitLine("^connection 1 ended: ");
      }
    }
    long opened = agent.channelsOpened() - before;
    say(
        "  SSH channels: "
            + opened
            + ", 1 for alice's bus connection, "
            + (opened - 1)
            + " for the page");
    expect(opened == 2, "a connection of a tube is one channel, a bus client one");
    Files.deleteIfExists(index);
  }

  private void read(Login reader, String address, String page) {
    say("  at the desktop it is http://" + address + "/");
    Proc.Result result =
        reader.run(Java.command(reader.place(), Page.class.getName(), "http://" + address + "/"));
    say("  \"" + result.out().strip() + "\"");
    expect(result.out().strip().equals(page), "the page is another one: " + result.err());
  }

  private void strangers(AgentProcess agent) {
    long before = agent.channelsOpened();
    List<User> others = new ArrayList<>();
    if (world.isApart()) {
      others.addAll(List.of(User.STRANGER, User.ROOT));
    } else if (User.current().isRoot()) {
      others.add(User.STRANGER);
    }
    for (User other : others) {
      String outcome = connect(agent, other);
      say("Another user (uid " + other.uid() + ") at the agent's bus: " + outcome);
    }
    if (others.isEmpty()) {
      say("Another user at the agent's bus: not tried, there is no second uid to be had here.");
    }
    expect(agent.channelsOpened() == before, "a stranger got an SSH channel");
  }

  private String connect(AgentProcess agent, User other) {
    Login stranger = world.desktop().login(other);
    List<String> command =
        Java.command(world.desktop(), "org.tpforward.harness.Probe", "unix:" + agent.socket());
    String said = stranger.run(command).ok().out().strip();
    boolean refused = said.startsWith("refused");
    boolean closed = said.endsWith("closed 0") || said.endsWith("reset 0");
    expect(refused || closed, "uid " + other.uid() + " was served: " + said);
    return refused
        ? "cannot even reach it (" + said.substring("refused ".length()) + ")"
        : "disconnected at once, no byte read or written, no SSH channel opened";
  }

  private void expect(boolean held, String otherwise) {
    if (!held) {
      wrong.add(otherwise);
    }
  }

  private static void say(String line) {
    if (!interrupted) {
      System.out.println(line);
    }
  }
}
