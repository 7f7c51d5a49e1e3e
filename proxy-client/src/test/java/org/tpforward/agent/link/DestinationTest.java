package org.tpforward.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationTest {
  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "host,                     -,          host,  0",
        "user@host,                user,       host,  0",
        "host:2222,                -,          host,  2222",
        "user@host:2222,           user,       host,  2222",
        "first@realm@host,         first@realm, host, 0",
        "::1,                      -,          ::1,   0",
        "fe80::1%eth0,             -,          fe80::1%eth0, 0",
        "[::1]:22,                 -,          ::1,   22",
        "[::1],                    -,          ::1,   0",
        "user@[2001:db8::1]:65535, user,       2001:db8::1, 65535",
        "ssh://host,               -,          host,  0",
        "SSH://user@host:22/,      user,       host,  22",
        "ssh://a%40b@[::1]:1,      a@b,        ::1,   1",
      })
  void readsWhatSshUsersWrite(String text, String user, String host, int port) {
    assertThat(Destination.parse(text)).isEqualTo(new Destination(user, host, port));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "user@",
        "@host",
        "host:",
        "host:0",
        "host:65536",
        "host:22x",
        "host:99999999999",
        "[::1",
        "[::1]22",
        "ssh://",
        "ssh://host/path",
        "a b",
        "host\n",
        "host\0",
        "\u202ehost",
      })
  void refusesWhatIsNoDestination(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Destination.parse(text));
  }

  /** These would become options of ssh, or commands of the shell that runs a ProxyCommand. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-oProxyCommand=touch x",
        "user@-host",
        "-user@host",
        "ssh://-host",
        "ssh://%2Duser@host",
        "$(id)",
        "host;id",
        "`id`@host",
        "a|b@host",
        "host&",
      })
  void refusesWhatOthersWouldTakeForSomethingElse(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Destination.parse(text));
  }

  @Test
  void theMessageIsFitForATerminal() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Destination.parse("ho\u001b[31mst"))
        .withMessage("not a host name: \"ho?[31mst\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"host", "user@host:22", "[::1]:22", "u@[::1]"})
  void isWrittenAsItIsRead(String text) {
    assertThat(Destination.parse(text)).hasToString(text);
  }
}
