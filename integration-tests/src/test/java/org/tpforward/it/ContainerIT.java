package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.demo.BigFile;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.ContainerServer;
import org.tpforward.harness.Login;
import org.tpforward.harness.Podman;
import org.tpforward.harness.Proc;
import org.tpforward.harness.Sides;
import org.tpforward.harness.User;

/** The container image of bin/image, run by podman, and the scripts of docs/containers.md. */
@NeedsRoot
class ContainerIT {
  private static final int PORT = 2222;

  private static Podman podman;
  private static String image;
  private static Sides sides;
  private static Login desk;
  private static ContainerServer server;
  private static AgentProcess agent;

  @BeforeAll
  static void open() throws IOException {
    podman = Podman.open();
    image = podman.image("--cm", "loopback --profile full");
    sides = Sides.open();
    desk = sides.desk();
    TpClient.install(sides.desktop());
    server = ContainerServer.start(podman, image, sides.server(), desk, PORT);
    agent = agent(desk);
    script("ci-test");
    script("send-and-compare");
  }

  @AfterAll
  static void close() {
    if (agent != null) {
      agent.close();
    }
    if (server != null) {
      server.close();
    }
    if (sides != null) {
      sides.close();
    }
    if (podman != null) {
      podman.close();
    }
  }

  /** Takes a script out of the page, as a reader would. */
  private static void script(String name) throws IOException {
    String page = Files.readString(Path.of("../docs/containers.md"));
    Matcher block =
        Pattern.compile("```bash\\n(#!/bin/bash\\n# " + name + ".*?)```", Pattern.DOTALL)
            .matcher(page);
    assertThat(block.find()).as("the page has " + name).isTrue();
    Path file = podman.directory().resolve(name);
    Files.writeString(file, block.group(1));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static AgentProcess agent(Login user) {
    return AgentProcess.start(user, "-F", user.home() + "/.ssh/config", "server");
  }

  /** From one client on the desktop to another: through the link and back. */
  private static void transfer(Login client) throws IOException {
    String file = client.home() + "/holiday.tar";
    String sum = BigFile.write(client.place().path(file), 8);
    sides.desktop().admin().run("chmod", "644", file).ok();
    client.run("mkdir", "inbox").ok();
    try (Proc receive =
        client.start(
            client.tpforward("receive", "--account", "loopback:bob", "--once", "--dir", "inbox"))) {
      receive.awaitLine("waiting for files");
      client.run(client.tpforward("send", "--account", "loopback:alice", "bob", file)).ok();
      receive.await().ok();
    }
    Path arrived = client.place().path(client.home() + "/inbox/holiday.tar");
    assertThat(BigFile.checksum(arrived)).isEqualTo(sum);
  }

  @Test
  void aFileGoesOutThroughItAndComesBack() throws IOException {
    transfer(agent.client());
  }

  @Test
  void aTubeGoesThroughItBothWays() {
    try (Proc accept = TpClient.start(agent.client(), "tube-accept", "tube-b", "echo", "3000000")) {
      accept.awaitLine("^connected");
      try (Proc offer =
          TpClient.start(agent.client(), "tube-offer", "tube-a", "tube-b", "echo", "1")) {
        accept.await().ok();
        offer.await().ok();
      }
    }
  }

  /** The filter of the systemd unit, which no systemd applies here, as podman's. */
  @Test
  void theSystemCallsThatTheUnitAllowsAreEnough() throws IOException {
    Path profile = podman.directory().resolve("seccomp.json");
    Files.writeString(profile, SystemCalls.ofUnit().toSeccompProfile());
    Login user = sides.desktop().login(User.SERV);
    try (ContainerServer _ =
            ContainerServer.start(
                podman,
                image,
                sides.server(),
                user,
                PORT + 2,
                "--security-opt=seccomp=" + profile);
        AgentProcess filtered = agent(user)) {
      transfer(filtered.client());
    }
    assertThatNothingIsLeft();
  }

  @Test
  void runsNoShellAndNoCommands() {
    for (String command : List.of("", "id")) {
      List<String> ssh = new ArrayList<>(List.of("ssh", "-F", ".ssh/config", "server"));
      ssh.add(command);
      Proc.Result result = desk.run(ssh);
      assertThat(result.status()).isNotZero();
      assertThat(result.out()).isEmpty();
      assertThat(result.err()).contains("no shell and no commands here");
    }
  }

  @Test
  void everythingInItIsUnprivilegedAndWritesNothingButItsOwn() {
    String status = server.exec("cat", "/proc/1/status").ok().out();
    assertThat(status)
        .containsPattern("Name:\\s+java\\n")
        .containsPattern("Uid:\\s+10001\\s+10001\\s+10001\\s+10001\\n")
        .containsPattern("CapBnd:\\s+0000000000000000\\n")
        .containsPattern("NoNewPrivs:\\s+1\\n");
    assertThat(server.exec("touch", "/opt/tpforward/new").err()).contains("Read-only file system");
    assertThat(server.exec("touch", "/etc/tpforward-server/new").err())
        .contains("Read-only file system");
    assertThat(server.exec("stat", "-c", "%a %u", "/var/lib/tpforward-server/host_key").ok().out())
        .isEqualTo("600 10001\n");
  }

  @Test
  void sigtermEndsItBeforePodmanKillsAndLeavesNothing() {
    Login user = sides.desktop().login(User.STRANGER);
    Proc.Result result;
    try (ContainerServer second =
            ContainerServer.start(podman, image, sides.server(), user, PORT + 1);
        AgentProcess other = agent(user);
        Proc monitor = other.client().start("dbus-monitor", "--session")) {
      // A bus client that stays: what is open must not keep it from ending.
      monitor.awaitLine("NameAcquired");
      assertThat(podman.containers()).contains("server-" + (PORT + 1));
      assertThat(second.stop().ok().err()).doesNotContain("SIGKILL");
      result = second.proc().await();
    }
    assertThat(result.status()).isZero();
    assertThatNothingIsLeft();
  }

  @Test
  void aContainerWithoutKeysSaysSoAndEnds() {
    Proc.Result result = podman.run(sides.server(), "podman", "run", "--rm", image);
    assertThat(result.status()).isEqualTo(3);
    assertThat(result.err()).contains("/etc/tpforward-server/authorized_keys");
  }

  /** In the desktop's network, where it has loopback to itself. */
  private static Proc.Result ciTest(String... command) {
    List<String> argv = new ArrayList<>(List.of(podman.directory() + "/ci-test", image));
    argv.addAll(List.of(command));
    return podman.run(sides.desktop(), argv.toArray(String[]::new));
  }

  private static void assertThatNothingIsLeft() {
    assertThat(podman.containers()).containsExactly("server-" + PORT);
    assertThat(podman.volumes()).hasSize(1);
  }

  @Test
  void theScriptOfThePageSendsAFileAndLeavesNothing() {
    Proc.Result result = ciTest(podman.directory() + "/send-and-compare");
    assertThat(result.ok().out()).contains("the file has arrived");
    assertThatNothingIsLeft();
  }

  @Test
  void theScriptOfThePageEndsAsItsCommandAndShowsTheLog() {
    Proc.Result result = ciTest("sh", "-c", "exit 7");
    assertThat(result.status()).isEqualTo(7);
    assertThat(result.out() + result.err()).contains("\"event\":\"login\"");
    assertThatNothingIsLeft();
  }

  @Test
  void theScriptOfThePageFailsWhereTheServerDoesNotStart() {
    String script =
        """
        import socket
        s = socket.create_server(('127.0.0.1', 2222))
        print('listening', flush=True)
        input()
        """;
    try (Proc other = desk.start("python3", "-c", script)) {
      other.awaitLine("listening");
      Proc.Result result = ciTest("true");
      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err()).contains("cannot listen on ");
    }
    assertThatNothingIsLeft();
  }
}
