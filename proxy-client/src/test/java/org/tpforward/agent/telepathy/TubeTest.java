package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tpforward.dbus.Value;

final class TubeTest {
  @Test
  void parametersOfAnyTypeAreText() {
    Map<String, Value> given = new LinkedHashMap<>();
    given.put("s", Value.of("ü"));
    given.put("u", Value.u(4_294_967_295L));
    given.put("t", Value.t(-1));
    given.put("x", Value.x(-1));
    given.put("b", Value.of(true));
    given.put("ay", Value.of(new byte[] {1, 2}));
    given.put("asv", Value.dict(Map.of()));
    assertThat(Tube.parameters(Value.dict(given)))
        .containsExactly(
            entry("s", "ü"),
            entry("u", "4294967295"),
            entry("t", "18446744073709551615"),
            entry("x", "-1"),
            entry("b", "true"),
            entry("ay", "2 bytes"),
            entry("asv", "a{sv}"));
  }
}
