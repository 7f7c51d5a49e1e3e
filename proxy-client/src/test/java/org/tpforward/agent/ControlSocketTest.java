package org.tpforward.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ControlSocketTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path base;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AgentStatus status = TestStatus.of("alice");
  private RuntimeDirectory directory;
  private ControlSocket control;

  @BeforeEach
  void open() throws Exception {
    directory = RuntimeDirectory.claim(base, "alice", false);
    control = ControlSocket.open(directory.control(), () -> status, stopped::countDown, LONG);
  }

  @AfterEach
  void close() {
    control.close();
    directory.close();
  }

  @Test
  void tellsTheStatusOfAgents() throws Exception {
    List<KnownAgent> agents = KnownAgent.list(base);
    assertThat(agents)
        .containsExactly(new KnownAgent("alice", directory.path(), ProcessHandle.current().pid()));
    assertThat(agents.getFirst().status(LONG)).isEqualTo(status);
    assertThat(agents.getFirst().isAlive()).isTrue();
  }

  @Test
  void saysThatItStopsBeforeItDoes() throws Exception {
    try (SocketChannel client = connect()) {
      send(client, "{\"request\":\"stop\"}\n");
      Json answer = ControlLine.read(client, 1000);
      assertThat(answer.toString())
          .isEqualTo("{\"stopping\":" + ProcessHandle.current().pid() + "}");
    }
    stopped.await();
  }

  @Test
  void keepsTheConnectionOfWhoStopsItUntilTheProcessEnds() throws Exception {
    Path other = directory.socket();
    try (ChildJvm agent = ChildJvm.start(List.of(), StoppableMain.class, other.toString())) {
      assertThat(agent.line()).isEqualTo("open");
      try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(other))) {
        send(client, "{\"request\":\"stop\"}\n");
        ControlLine.read(client, 1000);
        assertThat(agent.line()).isEqualTo("stopping");
        agent.endInput();
        assertThat(client.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      }
      assertThat(agent.exitStatus()).isZero();
    }
  }

  @Test
  void disconnectsAnotherUserBeforeItReads() throws Exception {
    Path classes = Files.createDirectories(base.resolve("classes/org/tpforward/agent"));
    try (InputStream in = ConnectMain.class.getResourceAsStream("ConnectMain.class")) {
      Files.write(classes.resolve("ConnectMain.class"), in.readAllBytes());
    }
    openToAll(base, directory.path(), directory.control());
    Process client =
        new ProcessBuilder(
                "setpriv",
                "--reuid=65533",
                "--regid=65533",
                "--clear-groups",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData",
                "-cp",
                base.resolve("classes").toString(),
                ConnectMain.class.getName(),
                directory.control().toString(),
                "{\"request\":\"stop\"}")
            .redirectErrorStream(true)
            .start();
    assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .as("bytes that another user gets; setpriv of util-linux and root's rights are needed")
        .isEqualTo("0\n");
    assertThat(stopped.getCount()).isEqualTo(1);
  }

  private static void openToAll(Path... paths) throws Exception {
    for (Path path : paths) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
    }
  }

  @Test
  void answersNonsenseWithAnError() throws Exception {
    assertThat(ask("{\"request\":\"fly\"}\n")).isEqualTo("{\"error\":\"no such request\"}");
    assertThat(ask("[]\n")).isEqualTo("{\"error\":\"no such request\"}");
    assertThat(ask("GET / HTTP/1.1\n")).startsWith("{\"error\":\"JSON, character 0");
    assertThat(ask("x".repeat(ControlSocket.MAX_REQUEST + 1)))
        .isEqualTo("{\"error\":\"a line of over 1024 bytes\"}");
    assertThat(KnownAgent.list(base).getFirst().status(LONG)).isEqualTo(status);
  }

  @Test
  void disconnectsWhoSaysNothing() throws Exception {
    Path other = directory.socket();
    try (ControlSocket impatient =
            ControlSocket.open(other, () -> status, stopped::countDown, Duration.ofMillis(1));
        SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(other))) {
      assertThat(client.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      assertThat(impatient.isOpen()).isTrue();
    }
  }

  @Test
  void letsManyClientsWaitRatherThanRefuseThem() throws Exception {
    List<CompletableFuture<AgentStatus>> answers = new ArrayList<>();
    KnownAgent agent = KnownAgent.list(base).getFirst();
    for (int i = 0; i < 40; i++) {
      CompletableFuture<AgentStatus> answer = new CompletableFuture<>();
      answers.add(answer);
      Thread.ofVirtual()
          .start(() -> {
            try {
              answer.complete(agent.status(LONG));
            } catch (Exception e) {
              answer.completeExceptionally(e);
            }
          });
    }
    for (CompletableFuture<AgentStatus> answer : answers) {
      assertThat(answer.get()).isEqualTo(status);
    }
  }

  @Test
  void isForItsOwnerAlone() throws Exception {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.control())))
        .isEqualTo("rw-------");
  }

  @Test
  void anAgentThatHangsIsGivenUp() throws Exception {
    try (RuntimeDirectory hung = RuntimeDirectory.claim(base, "hung", false);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(hung.control()));
      KnownAgent agent = new KnownAgent("hung", hung.path(), null);
      assertThatThrownBy(() -> agent.status(Duration.ofMillis(1)))
          .hasMessage("it does not answer within 0 s");
    }
  }

  private String ask(String line) throws Exception {
    try (SocketChannel client = connect()) {
      send(client, line);
      return ControlLine.read(client, 1000).toString();
    }
  }

  private SocketChannel connect() throws Exception {
    return SocketChannel.open(UnixDomainSocketAddress.of(directory.control()));
  }

  private static void send(SocketChannel client, String line) throws Exception {
    client.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
  }
}
