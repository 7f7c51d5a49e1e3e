package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BusAddressTest {
  @Test
  void aListIsTakenApartInOrder() throws Exception {
    List<BusAddress> list =
        BusAddress.parse(
            "unix:path=/run/user/1000/bus,guid=0123;unix:abstract=/tmp/dbus-Ab;"
                + "tcp:host=127.0.0.1,port=80,family=ipv4;unix:runtime=yes;autolaunch:");
    assertThat(list)
        .containsExactly(
            address("unix", "path", "/run/user/1000/bus", "guid", "0123"),
            address("unix", "abstract", "/tmp/dbus-Ab"),
            address("tcp", "host", "127.0.0.1", "port", "80", "family", "ipv4"),
            address("unix", "runtime", "yes"),
            address("autolaunch"));
    assertThat(list.getFirst().key("path")).isEqualTo("/run/user/1000/bus");
    assertThat(list.getFirst().key("abstract")).isNull();
  }

  private static BusAddress address(String transport, String... keys) {
    Map<String, String> map = new LinkedHashMap<>();
    for (int i = 0; i < keys.length; i += 2) {
      map.put(keys[i], keys[i + 1]);
    }
    return new BusAddress(transport, map);
  }

  @Test
  void valuesAreEscapedBytes() throws Exception {
    BusAddress address = address("unix", "path", "/a b/\u00e9,;=:%~*\\.-_Z9");
    String text = "unix:path=/a%20b/%c3%a9%2c%3b%3d%3a%25%7e*\\.-_Z9";
    assertThat(address).hasToString(text);
    assertThat(BusAddress.parse(text)).containsExactly(address);
    assertThat(BusAddress.parse("unix:path=%2Ftmp%2ff"))
        .containsExactly(address("unix", "path", "/tmp/f"));
  }

  @Test
  void aListIsWrittenAsItIsRead() throws Exception {
    String text = "unix:tmpdir=/tmp;tcp:host=localhost,bind=*,port=0";
    assertThat(BusAddress.format(BusAddress.parse(text))).isEqualTo(text);
    assertThat(BusAddress.format(BusAddress.parse(text + ";"))).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ";",
        "unix",
        ":path=/a",
        "/run/bus",
        "unix:path",
        "unix:=/a",
        "unix:path=/a,",
        "unix:path=/a,,b=c",
        "unix:path=/a;;unix:path=/b",
        "unix:path=/a,path=/b",
        "unix:path=/a b",
        "unix:path=/\u00e9",
        "unix:path=%",
        "unix:path=%4",
        "unix:path=%4;unix:path=1",
        "unix:path=%zz",
        "unix:path=%00",
        "unix:path=%ff",
        "unix:path=a=b",
        "un ix:path=/a",
        "unix,path:path=/a",
        "unix:pa%th=/a"
      })
  void whatIsNoAddressIsRefused(String text) {
    assertThatThrownBy(() -> BusAddress.parse(text))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("bus address");
  }

  @Test
  void aListHasBounds() {
    assertThatThrownBy(() -> BusAddress.parse("unix:path=/" + "a".repeat(20_000)))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("limit");
    assertThatThrownBy(() -> BusAddress.parse("unix:;".repeat(65)))
        .isInstanceOf(ProtocolException.class)
        .hasMessageContaining("64");
  }
}
