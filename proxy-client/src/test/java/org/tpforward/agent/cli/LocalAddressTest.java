package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.socket.Endpoint;

final class LocalAddressTest {
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:80,127.0.0.1:80",
    "localhost:65535,127.0.0.1:65535",
    "127.9.8.7:1,127.9.8.7:1",
    "[::1]:5900,[::1]:5900",
    "unix:/run/x:y,unix:/run/x:y",
    "unix:@a b,unix:@a b",
    "unix:@/x,unix:@/x",
  })
  void isReadAsItIsWritten(String text, String meaning) throws Exception {
    assertThat(LocalAddress.parse(text, LocalAddress.Purpose.CONNECT)).hasToString(meaning);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'' | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "80 | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        ":80 | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "::1:80 | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "[127.0.0.1]:80 | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "example.org:80 | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "/run/x | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "unix: | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "unix:@ | write HOST:PORT on loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "10.0.0.1:80 | only sockets of this machine: 127.0.0.1 or [::1]",
        "0.0.0.0:80 | only sockets of this machine: 127.0.0.1 or [::1]",
        "[::]:80 | only sockets of this machine: 127.0.0.1 or [::1]",
        "[2001:db8::1]:80 | only sockets of this machine: 127.0.0.1 or [::1]",
        "unix:x | the path of a socket begins with /",
        "127.0.0.1: | a port is 1 to 65535",
        "127.0.0.1:0 | a port is 1 to 65535",
        "127.0.0.1:65536 | a port is 1 to 65535",
        "127.0.0.1:-1 | a port is 1 to 65535",
        "127.0.0.1:http | a port is 1 to 65535",
      })
  void anythingElseIsOneLineAndWrongUsage(String text, String why) {
    String word = text.equals("''") ? "" : text;
    assertThatThrownBy(() -> LocalAddress.parse(word, LocalAddress.Purpose.CONNECT))
        .isInstanceOfSatisfying(
            AgentException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.USAGE))
        .hasMessage("\"" + word + "\" is no address: " + why);
  }

  @Test
  void aNameHasRoomForWhatTheKernelTakes() throws Exception {
    String longest = "/" + "x".repeat(106);
    assertThat(LocalAddress.parse("unix:" + longest, LocalAddress.Purpose.LISTEN))
        .isEqualTo(new Endpoint.UnixPath(longest));
    assertThatThrownBy(
            () -> LocalAddress.parse("unix:" + longest + "x", LocalAddress.Purpose.LISTEN))
        .hasMessageEndingWith("a Unix socket's name has at most 107 bytes, not 108");
    assertThatThrownBy(() -> LocalAddress.parse("unix:/a\0b", LocalAddress.Purpose.LISTEN))
        .isInstanceOf(AgentException.class);
  }

  @Test
  void theSystemMayChooseAPortToListenAt() throws Exception {
    assertThat(LocalAddress.parse("[::1]:0", LocalAddress.Purpose.LISTEN)).hasToString("[::1]:0");
  }
}
