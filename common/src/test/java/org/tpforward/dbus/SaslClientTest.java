package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SaslClientTest {
  private static final String GUID = "0123456789abcdef0123456789ABCDEF";

  @Test
  void aMessageBusIsAskedInOneWrite() throws Exception {
    ScriptedChannel server = new ScriptedChannel("DATA\r\nOK " + GUID + "\r\nl\1\2", 4);
    SaslClient.Result in = SaslClient.external(server);
    assertThat(in.guid()).isEqualTo(GUID);
    assertThat(server.said()).isEqualTo("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
    assertThat(server.writes).isEqualTo(1);
    ByteBuffer rest = ByteBuffer.allocate(10).put(in.leftOver());
    while (server.read(rest) >= 0) {}
    assertThat(new String(rest.array(), 0, rest.position(), StandardCharsets.US_ASCII))
        .isEqualTo("l\1\2");
  }

  @Test
  void aRefusalSaysWhatTheServerSaid() {
    ScriptedChannel server = new ScriptedChannel("REJECTED DBUS_COOKIE_SHA1 \7\r\nERROR\r\n", 99);
    assertThatThrownBy(() -> SaslClient.external(server))
        .isInstanceOf(AuthenticationException.class)
        .hasMessage("the server let us not in: REJECTED DBUS_COOKIE_SHA1 ?");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "DATA\r\n",
        "DATA\r\nOK\r\n",
        "DATA\r\nOK 123\r\n",
        "DATA\r\nOK 0123456789abcdef0123456789abcdeg\r\n",
        "OKAY\r\n",
        "ERROR \"what?\"\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "DATA\r\nDATA\r\nDATA\r\nDATA\r\nDATA\r\nDATA\r\nDATA\r\nDATA\r\nDATA\r\nDATA\r\n"
      })
  void whatIsNoBusIsToldApart(String said) {
    assertThatThrownBy(() -> SaslClient.external(new ScriptedChannel(said, 5)))
        .isInstanceOf(AuthenticationException.class);
    assertThatThrownBy(() -> SaslClient.externalThenAnonymous(new ScriptedChannel(said, 5)))
        .isInstanceOf(AuthenticationException.class);
  }

  @Test
  void aLineWithoutEndIsGivenUp() {
    assertThatThrownBy(() -> SaslClient.external(new ScriptedChannel("A".repeat(100_000), 999)))
        .isInstanceOf(AuthenticationException.class)
        .hasMessageContaining("16384");
  }

  @Test
  void aTubeIsAskedStepByStep() throws Exception {
    ScriptedChannel server = new ScriptedChannel("DATA\r\nOK " + GUID + "\r\n", 99);
    assertThat(SaslClient.externalThenAnonymous(server).guid()).isEqualTo(GUID);
    assertThat(server.said()).isEqualTo("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
    assertThat(server.writes).isEqualTo(3);
  }

  @Test
  void aTubeThatDoesNotTakeTheKernelsWordIsAskedAnonymously() throws Exception {
    for (String first :
        new String[] {"REJECTED ANONYMOUS\r\n", "DATA\r\nREJECTED EXTERNAL ANONYMOUS\r\n"}) {
      ScriptedChannel server = new ScriptedChannel(first + "OK " + GUID + "\r\n", 99);
      assertThat(SaslClient.externalThenAnonymous(server).guid()).isEqualTo(GUID);
      assertThat(server.said()).endsWith("AUTH ANONYMOUS 7470666f7277617264\r\nBEGIN\r\n");
    }
  }

  @Test
  void aTubeThatRefusesBothIsToldApart() {
    ScriptedChannel server = new ScriptedChannel("REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\n", 99);
    assertThatThrownBy(() -> SaslClient.externalThenAnonymous(server))
        .isInstanceOf(AuthenticationException.class)
        .hasMessage("the server let us not in: REJECTED EXTERNAL");
  }

  @Test
  void aRealBusLetsUsInBothWays(@TempDir Path directory) throws Exception {
    try (TestBus bus = new TestBus(directory)) {
      try (var channel = bus.connect()) {
        assertThat(SaslClient.external(channel, Duration.ofSeconds(30)).guid()).hasSize(32);
      }
      try (var channel = bus.connect()) {
        SaslClient.Result in = SaslClient.externalThenAnonymous(channel, Duration.ofSeconds(30));
        assertThat(in.guid()).hasSize(32);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}
