package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.agent.forward.Sockets;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;

/** Who does not authenticate as it must gets no channel to the remote bus. */
class SaslAtTheBusTest {
  @TempDir Path directory;
  private TestBus bus;
  private AgentFixture agent;
  private Connection client;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    agent = new AgentFixture(directory, bus.socket());
    client = Connection.connect(new Endpoint.UnixPath(agent.socket.toString()));
  }

  @AfterEach
  void stop() {
    client.close();
    agent.close();
    bus.close();
  }

  private void say(String text) throws Exception {
    client.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  private String line() throws Exception {
    StringBuilder line = new StringBuilder();
    while (line.indexOf("\r\n") < 0) {
      line.append(Sockets.read(client, 1));
    }
    return line.toString().strip();
  }

  private void assertNobodyWasServed() throws Exception {
    Sockets.awaitEnd(client);
    assertThat(agent.server.served()).isZero();
    try (Peer other = agent.client()) {
      other.roundTrip(); // Nobody else notices.
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\n\r\n", // no NUL
        "\0BEGIN\r\n",
        "\0AUTH EXTERNAL 30313233\r\nBEGIN\r\n", // somebody else
        "\0AUTH ANONYMOUS\r\nBEGIN\r\n",
        "\0AUTH DBUS_COOKIE_SHA1 72\r\nBEGIN\r\n"
      })
  void whoBreaksTheRulesIsDisconnectedWithALogLine(String text) throws Exception {
    try (Logs logs = new Logs()) {
      say(text);
      assertNobodyWasServed();
      logs.await("WARN", "bus client #1 is disconnected");
    }
  }

  @Test
  void aLineWithoutAnEndIsNotReadForEver() throws Exception {
    say("\0" + "x".repeat(20 << 10));
    assertNobodyWasServed();
  }

  @Test
  void garbageIsAnsweredAndThenEnds() throws Exception {
    try {
      say("\0" + "\1\2\3 gar\u00ffbage\r\n".repeat(40));
    } catch (java.io.IOException e) {
      // Disconnected before all of it was written.
    }
    assertNobodyWasServed();
  }

  @Test
  void anonymousIsRejectedAndExternalMayFollow() throws Exception {
    say("\0AUTH ANONYMOUS 74657374\r\n");
    assertThat(line()).isEqualTo("REJECTED EXTERNAL");
    say("AUTH EXTERNAL\r\n");
    assertThat(line()).isEqualTo("DATA");
    say("DATA\r\n");
    assertThat(line()).startsWith("OK ");
  }

  @Test
  void descriptorsAreNotPassed() throws Exception {
    say("\0AUTH EXTERNAL\r\nDATA\r\n");
    assertThat(line()).isEqualTo("DATA");
    assertThat(line()).startsWith("OK ");
    say("NEGOTIATE_UNIX_FD\r\n");
    assertThat(line()).startsWith("ERROR");
  }

  @Test
  void silenceEndsByItself() throws Exception {
    client.close();
    agent.close();
    agent = new AgentFixture(directory, bus.socket(), Sockets.PATIENCE, AgentFixture.SHORT);
    client = Connection.connect(new Endpoint.UnixPath(agent.socket.toString()));
    try (Logs logs = new Logs()) {
      say("\0AUTH EXTERNAL\r\n");
      assertThat(line()).isEqualTo("DATA");
      assertNobodyWasServed();
      logs.await("WARN", "no authentication within");
    }
  }
}
