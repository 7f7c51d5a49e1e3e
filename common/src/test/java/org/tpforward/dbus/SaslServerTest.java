package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SaslServerTest {
  private static final String GUID = "0123456789abcdef0123456789abcdef";
  private static final String OK = "OK " + GUID + "\r\n";
  private static final String REJECTED = "REJECTED EXTERNAL\r\n";
  private static final Duration LONG = Duration.ofSeconds(30);

  /** Of a peer whose uid is 1000, which is 31303030 in SASL's hexadecimal digits. */
  private static SaslServer.Result authenticate(ScriptedChannel channel) throws IOException {
    return SaslServer.authenticate(channel, 1000, uid -> uid == 1000, GUID, LONG);
  }

  /** What the server says to a peer that sends these lines and then BEGIN. */
  private static String accepted(String lines) throws IOException {
    ScriptedChannel channel = new ScriptedChannel("\0" + lines + "BEGIN\r\n", 3);
    assertThat(authenticate(channel).uid()).isEqualTo(1000);
    assertThat(channel.isOpen()).isTrue();
    return channel.said();
  }

  /** What the server says to a peer that sends these lines and is not let in. */
  private static String refused(String lines) {
    ScriptedChannel channel = new ScriptedChannel("\0" + lines, 3);
    assertThatThrownBy(() -> authenticate(channel)).isInstanceOf(AuthenticationException.class);
    return channel.said();
  }

  @Test
  void anIdentityThatIsThePeersOwnIsAccepted() throws Exception {
    assertThat(accepted("AUTH EXTERNAL 31303030\r\n")).isEqualTo(OK);
  }

  @Test
  void anEmptyIdentityIsWhoeverTheKernelSays() throws Exception {
    assertThat(accepted("AUTH EXTERNAL\r\nDATA\r\n")).isEqualTo("DATA\r\n" + OK);
    assertThat(accepted("AUTH EXTERNAL\r\nDATA \r\n")).isEqualTo("DATA\r\n" + OK);
    assertThat(accepted("AUTH EXTERNAL \r\n")).isEqualTo(OK);
  }

  @Test
  void anIdentityAfterTheChallengeIsCheckedToo() throws Exception {
    assertThat(accepted("AUTH EXTERNAL\r\nDATA 31303030\r\n")).isEqualTo("DATA\r\n" + OK);
    assertThat(refused("AUTH EXTERNAL\r\nDATA 30\r\nBEGIN\r\n")).isEqualTo("DATA\r\n" + REJECTED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "30", // root
        "31303031", // 1001
        "726f6f74", // "root"
        "3130303", // half a byte
        "31303030zz",
        "1000",
        "2b31303030", // "+1000"
        "20",
        "34323934393638323936", // 1000 + 2^32
        "3138343436373434303733373039353532363136", // 1000 + 2^64
        "31303030 31303030",
        "\u0663"
      })
  void anyOtherIdentityIsRejected(String identity) {
    assertThat(refused("AUTH EXTERNAL " + identity + "\r\nBEGIN\r\n")).isEqualTo(REJECTED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "AUTH",
        "AUTH ANONYMOUS",
        "AUTH ANONYMOUS 6c6962",
        "AUTH DBUS_COOKIE_SHA1 31303030",
        "AUTH EXTERNALLY",
        "AUTH external",
        "CANCEL",
        "ERROR no idea"
      })
  void otherMechanismsAreRejectedAndTheClientMayTryAgain(String line) throws Exception {
    assertThat(refused(line + "\r\nBEGIN\r\n")).isEqualTo(REJECTED);
    assertThat(accepted(line + "\r\nAUTH EXTERNAL 31303030\r\n")).isEqualTo(REJECTED + OK);
  }

  @Test
  void whoIsVouchedForMayNameAnyIdentityButUsesTheSameMechanism() throws Exception {
    for (String identity : new String[] {"", " 30", " 31303031", "\r\nDATA 39"}) {
      ScriptedChannel channel =
          new ScriptedChannel("\0AUTH EXTERNAL" + identity + "\r\nDATA\r\nBEGIN\r\n", 3);
      assertThat(SaslServer.vouched(channel, GUID, LONG).uid()).isEqualTo(-1);
      assertThat(channel.said()).contains(OK);
    }
    ScriptedChannel channel = new ScriptedChannel("\0AUTH ANONYMOUS\r\nBEGIN\r\n", 3);
    assertThatThrownBy(() -> SaslServer.vouched(channel, GUID, LONG))
        .isInstanceOf(AuthenticationException.class);
    assertThat(channel.said()).isEqualTo(REJECTED);
  }

  @Test
  void aClientMayCancelAtAnyPoint() throws Exception {
    assertThat(accepted("AUTH EXTERNAL\r\nCANCEL\r\nAUTH EXTERNAL 31303030\r\n"))
        .isEqualTo("DATA\r\n" + REJECTED + OK);
    assertThat(refused("AUTH EXTERNAL 31303030\r\nCANCEL\r\nBEGIN\r\n")).isEqualTo(OK + REJECTED);
  }

  @Test
  void descriptorsAreNotPassed() throws Exception {
    assertThat(accepted("AUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\n"))
        .startsWith(OK + "ERROR ")
        .endsWith("\r\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "HELO",
        "auth EXTERNAL",
        "OK",
        "AUTHEXTERNAL",
        "\u00ff\u00fe",
        "GET / HTTP/1.1"
      })
  void garbageIsAnErrorThatDisturbsNothing(String line) throws Exception {
    assertThat(accepted(line + "\r\nAUTH EXTERNAL 31303030\r\n")).startsWith("ERROR ").endsWith(OK);
  }

  @Test
  void commandsOutOfTurnAreErrors() throws Exception {
    assertThat(accepted("DATA 31303030\r\nAUTH EXTERNAL 31303030\r\nAUTH EXTERNAL 30\r\n"))
        .matches("ERROR [^\r\n]*\r\n" + OK + "ERROR [^\r\n]*\r\n");
  }

  @Test
  void garbageWithoutEndIsGivenUp() {
    assertThat(refused("garbage\r\n".repeat(1000))).hasLineCount(SaslServer.MAX_LINES);
  }

  @Test
  void aLineWithoutEndIsGivenUpAfter16KiB() {
    ScriptedChannel channel = new ScriptedChannel("\0" + "A".repeat(1 << 20), 1000);
    assertThatThrownBy(() -> authenticate(channel))
        .isInstanceOf(AuthenticationException.class)
        .hasMessageContaining("a line over 16384 bytes");
    assertThat(channel.reads).isLessThan(30);
    assertThat(refused("A".repeat(16 << 10) + "\r\n")).startsWith("ERROR ");
    assertThat(refused("A".repeat((16 << 10) + 1) + "\r\n")).isEmpty();
  }

  @Test
  void onlyCrLfEndsALine() throws Exception {
    assertThat(accepted("A\rB\nC\r\rD\n\r\r\nAUTH EXTERNAL 31303030\r\n"))
        .matches("ERROR [^\r\n]*\r\n" + OK);
  }

  @Test
  void whoDoesNotStartWithNulIsNotAnswered() {
    ScriptedChannel channel = new ScriptedChannel("AUTH EXTERNAL 31303030\r\nBEGIN\r\n", 99);
    assertThatThrownBy(() -> authenticate(channel))
        .isInstanceOf(AuthenticationException.class)
        .hasMessageContaining("the first byte is 65, not NUL");
    assertThat(channel.said()).isEmpty();
  }

  @Test
  void theEndOfTheStreamIsNoSuccess() {
    assertThatThrownBy(() -> authenticate(new ScriptedChannel("", 9)))
        .isInstanceOf(AuthenticationException.class)
        .hasMessageContaining("the stream ended");
    refused("AUTH EXTERNAL 31303030\r\nBEGIN");
    refused("AUTH EXTERNAL 31303030\r\nBEGIN\r");
    refused("BEGIN\r\n");
    refused("AUTH EXTERNAL\r\nBEGIN\r\n");
  }

  @Test
  void whoIsNotAllowedIsRejectedWhateverItSays() {
    for (String lines : List.of("AUTH EXTERNAL 31303031\r\n", "AUTH EXTERNAL\r\nDATA\r\n")) {
      for (long uid : new long[] {1001, -1}) {
        ScriptedChannel channel = new ScriptedChannel("\0" + lines + "BEGIN\r\n", 99);
        assertThatThrownBy(() -> SaslServer.authenticate(channel, uid, u -> u == 1000, GUID, LONG))
            .isInstanceOf(AuthenticationException.class);
        assertThat(channel.said()).endsWith(REJECTED);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 1000})
  void whatFollowsBeginIsLeftOver(int piece) throws Exception {
    String all = "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\1\0\1\r\nmore";
    ScriptedChannel channel = new ScriptedChannel(all, piece);
    ByteBuffer rest = ByteBuffer.allocate(100);
    rest.put(authenticate(channel).leftOver());
    while (channel.read(rest) >= 0) {}
    assertThat(new String(rest.array(), 0, rest.position(), StandardCharsets.ISO_8859_1))
        .isEqualTo("l\1\0\1\r\nmore");
  }

  @Test
  void whoSaysNothingIsDisconnectedInTheEnd(@TempDir Path directory) throws Exception {
    try (Listener listener = new Listener(directory);
        SocketChannel client = listener.connect();
        SocketChannel server = listener.server.accept()) {
      client.write(ByteBuffer.wrap(new byte[1]));
      assertThatThrownBy(
              () -> SaslServer.authenticate(server, 1000, u -> true, GUID, Duration.ofMillis(20)))
          .isInstanceOf(AuthenticationException.class)
          .hasMessage("no authentication within 0.02 s");
      assertThat(client.read(ByteBuffer.allocate(10))).isNegative();
    }
  }

  @Test
  void theClockDoesNotCloseAChannelThatIsIn(@TempDir Path directory) throws Exception {
    try (Listener listener = new Listener(directory);
        SocketChannel client = listener.connect();
        SocketChannel server = listener.server.accept()) {
      client.write(
          ByteBuffer.wrap("\0AUTH EXTERNAL \r\nBEGIN\r\n".getBytes(StandardCharsets.UTF_8)));
      SaslServer.authenticate(server, 1000, u -> true, GUID, LONG);
      assertThat(server.isOpen()).isTrue();
      assertThat(SaslDeadline.waiting()).isZero();
    }
  }

  @Test
  void aGuidIsWhatTheSpecificationSays() {
    assertThatThrownBy(
            () -> SaslServer.authenticate(new ScriptedChannel("", 1), 1, u -> true, "x", LONG))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Clients of three families, each with a way of its own to say the same. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "gdbus call --address ADDRESS --dest a.b --object-path / --method a.b.M",
        "dbus-send --bus=ADDRESS --print-reply --dest=a.b / a.b.M",
        "busctl --address=ADDRESS call a.b / a.b M"
      })
  void realClientsGetIn(String command, @TempDir Path directory) throws Exception {
    long uid = TestBus.uid();
    try (Listener listener = new Listener(directory)) {
      List<String> words =
          List.of(command.replace("ADDRESS", "unix:path=" + listener.path).split(" ", -1));
      Process client = TestBus.start(words.getFirst(), words.subList(1, words.size()), "");
      try (SocketChannel server = listener.server.accept()) {
        SaslServer.Result in = SaslServer.authenticate(server, uid, u -> u == uid, GUID, LONG);
        Header hello = Objects.requireNonNull(new MessageReader(server, in.leftOver()).next());
        assertThat(hello.member()).isEqualTo("Hello");
        assertThat(hello.destination()).isEqualTo("org.freedesktop.DBus");
      } finally {
        client.destroyForcibly();
        client.waitFor();
      }
    }
  }

  private static final class Listener implements AutoCloseable {
    final Path path;
    final ServerSocketChannel server;

    Listener(Path directory) throws IOException {
      path = directory.resolve("socket");
      server =
          ServerSocketChannel.open(StandardProtocolFamily.UNIX)
              .bind(UnixDomainSocketAddress.of(path));
    }

    SocketChannel connect() throws IOException {
      return SocketChannel.open(UnixDomainSocketAddress.of(path));
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }
}
