package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TelepathySocketsTest {
  private static final Path SOURCE =
      Path.of("src/main/java/org/tpforward/socket/TelepathySockets.java");
  private static final Path TEST_SOURCE =
      Path.of("src/test/java/org/tpforward/socket/TelepathySocketsTest.java");

  private final CompletableFuture<Endpoint> offered = new CompletableFuture<>();

  @TempDir Path dir;

  @BeforeEach
  void letOthersReachTheDirectory() throws Exception {
    OtherUser.open(dir);
  }

  @Test
  void theExamplesOfTheDocumentationWork() throws Exception {
    String path = dir.resolve("tube").toString();
    CompletableFuture<Boolean> service =
        Threads.run(() -> {
          service(path);
          return true;
        });
    assertThat(offered.get(30, TimeUnit.SECONDS)).isEqualTo(new Endpoint.UnixPath(path));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    client(path, "ping".getBytes(StandardCharsets.US_ASCII), out);
    assertThat(out.toString(StandardCharsets.US_ASCII)).isEqualTo("42 got ping");
    assertThat(service.get(30, TimeUnit.SECONDS)).isTrue();
  }

  private void offer(Endpoint endpoint) {
    offered.complete(endpoint);
  }

  private static void client(String path, byte[] request, OutputStream out) throws IOException {
    // Under Localhost it is TelepathySockets.connect(where).
    Endpoint where = new Endpoint.UnixPath(path);
    try (Connection connection = TelepathySockets.connectWithByte(where, 42)) {
      connection.write(ByteBuffer.wrap(request));
      connection.shutdownOutput();
      ByteBuffer answer = ByteBuffer.allocate(8192);
      while (connection.read(answer.clear()) >= 0) {
        out.write(answer.array(), 0, answer.position());
      }
    }
  }

  private void service(String path) throws IOException {
    try (Listener listener = TelepathySockets.listenForBytes(new Endpoint.UnixPath(path))) {
      offer(listener.endpoint());
      TelepathySockets.Accepted accepted =
          TelepathySockets.acceptWithByte(
              listener.accept(), AllowedUids.own(), Duration.ofSeconds(30));
      // accepted.value() is the parameter of this connection's NewRemoteConnection.
      serve(accepted.connection(), accepted.value());
    }
  }

  private static void serve(Connection connection, int value) throws IOException {
    try (connection) {
      Bytes.send(connection, value + " got " + Bytes.receive(connection, 4));
    }
  }

  @Test
  void theExamplesOfTheDocumentationAreTheOnesTestedHere() throws Exception {
    String tested = withoutSpace(Files.readString(TEST_SOURCE));
    List<String> examples = examples(Files.readString(SOURCE));
    assertThat(examples).hasSize(2).allMatch(tested::contains);
  }

  /** What stands between the braces of each snippet. */
  private static List<String> examples(String source) {
    List<String> examples = new ArrayList<>();
    String start = "{@snippet :";
    for (int at = source.indexOf(start); at >= 0; at = source.indexOf(start, at + 1)) {
      int end = at + start.length();
      for (int depth = 1; depth > 0; end++) {
        char c = source.charAt(end);
        depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      }
      String lines = source.substring(at + start.length(), end - 1);
      examples.add(withoutSpace(lines.replaceAll("(?m)^ \\*", "")));
    }
    return examples;
  }

  private static String withoutSpace(String text) {
    return text.replaceAll("\\s+", "");
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void strangersArePassedOverUntilTheRightOneComes(Kind kind) throws Exception {
    try (Listener listener = Listener.open(kind.free(dir));
        OtherUser stranger = OtherUser.start(dir, "connect", listener.endpoint().toString())) {
      CompletableFuture<Connection> admitted =
          Threads.run(() -> TelepathySockets.accept(listener, AllowedUids.own()));
      assertThat(stranger.line()).isEqualTo("connected");
      assertThat(stranger.line()).isEqualTo(kind.isTcp() ? "reset" : "ended");
      try (Connection client = TelepathySockets.connect(listener.endpoint());
          Connection server = admitted.get(30, TimeUnit.SECONDS)) {
        Bytes.send(client, "own");
        assertThat(Bytes.receive(server, 3)).isEqualTo("own");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "ABSTRACT"})
  void aByteFromAnotherUserIsRefused(Kind kind) throws Exception {
    try (Listener listener = TelepathySockets.listenForBytes(kind.free(dir));
        OtherUser stranger = OtherUser.start(dir, "byte", listener.endpoint().toString(), "1")) {
      Connection connection = listener.accept();
      assertThatThrownBy(() ->
              TelepathySockets.acceptWithByte(connection, AllowedUids.own(), OtherUser.PATIENCE))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("uid " + OtherUser.UID);
      assertThat(connection.isOpen()).isFalse();
      assertThat(stranger.line()).startsWith("sent ");
      assertThat(stranger.line()).isEqualTo("ended");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "ABSTRACT"})
  void aByteFromAUserWhoIsAllowedToo(Kind kind) throws Exception {
    try (Listener listener = TelepathySockets.listenForBytes(kind.free(dir));
        OtherUser other = OtherUser.start(dir, "byte", listener.endpoint().toString(), "77")) {
      TelepathySockets.Accepted accepted =
          TelepathySockets.acceptWithByte(
              listener.accept(), AllowedUids.own().with(OtherUser.UID), OtherUser.PATIENCE);
      try (Connection connection = accepted.connection()) {
        assertThat(accepted.value()).isEqualTo(77);
        assertThat(accepted.sender().uid()).isEqualTo(OtherUser.UID);
        assertThat(other.line()).isEqualTo("sent " + accepted.sender().pid());
        assertThat(connection.isOpen()).isTrue();
      }
    }
  }

  @Test
  void acceptEndsWithTheListener() throws Exception {
    Listener listener = Listener.open(Kind.PATH.free(dir));
    CompletableFuture<Connection> waits =
        Threads.run(() -> TelepathySockets.accept(listener, AllowedUids.own()));
    listener.close();
    assertThatThrownBy(() -> waits.get(30, TimeUnit.SECONDS))
        .hasCauseInstanceOf(ClosedChannelException.class);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void aByteMayBeReadPlainlyWhereItsSenderIsKnown(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      Bytes.send(pair.client(), "\u00c8rest");
      assertThat(TelepathySockets.readByte(pair.server(), OtherUser.PATIENCE)).isEqualTo(200);
      assertThat(Bytes.receive(pair.server(), 4)).isEqualTo("rest");
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void whoSendsNoByteInTimeIsDisconnected(Kind kind) throws Exception {
    try (Pair pair = Pair.of(kind, dir)) {
      assertThatThrownBy(() -> TelepathySockets.readByte(pair.server(), Duration.ofMillis(50)))
          .isInstanceOf(SocketTimeoutException.class);
      assertThat(pair.server().isOpen()).isFalse();
    }
    try (Pair pair = Pair.of(kind, dir)) {
      pair.client().close();
      assertThatThrownBy(() -> TelepathySockets.readByte(pair.server(), OtherUser.PATIENCE))
          .isInstanceOf(EOFException.class);
    }
  }
}
