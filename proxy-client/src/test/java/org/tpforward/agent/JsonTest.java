package org.tpforward.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class JsonTest {
  @Test
  void readsWhatAnybodyWrites() {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("a", new Json.Arr(List.of(Json.of(-1), new Json.Bool(true), new Json.Null())));
    members.put("\u00e9\n\"", Json.of("/\\"));
    members.put("o", new Json.Obj(Map.of()));
    assertThat(
            Json.parse(" { \"a\" : [ -1 , true,null ],\"\\u00e9\\n\\\"\":\"\\/\\\\\", \"o\":{}}\n"))
        .isEqualTo(new Json.Obj(members));
  }

  @Test
  void writesOneLineThatATerminalCanShow() {
    assertThat(Json.of("a\nb\u001b[31m\u009b\"\\").toString())
        .isEqualTo("\"a\\nb\\u001b[31m\\u009b\\\"\\\\\"");
    assertThat(new Json.Arr(List.of()).toString()).isEqualTo("[]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01x", "1.5", "9223372036854775808",
        "\"", "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "tru", "1 2", "{1:2}", "nul"
      })
  void refusesWhatIsNoJsonOfOurs(String text) {
    assertThatThrownBy(() -> Json.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesToNestWithoutEnd() {
    assertThatThrownBy(() -> Json.parse("[".repeat(100_000)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nested too deep");
  }

  @Test
  void carriesAStatusThereAndBack() {
    AgentStatus status = TestStatus.of("alice");
    assertThat(AgentStatus.fromJson(Json.parse(status.toJson().toString()))).isEqualTo(status);
    AgentStatus quiet =
        new AgentStatus(
            "bob",
            1,
            "host",
            "unix:path=/x",
            null,
            new AgentStatus.Link("up", Instant.EPOCH, null),
            0,
            List.of(),
            0,
            0,
            0,
            0,
            List.of());
    assertThat(AgentStatus.fromJson(Json.parse(quiet.toJson().toString()))).isEqualTo(quiet);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "{}", "{\"name\":1}", "{\"name\":null}"})
  void saysWhichMemberOfAStatusIsMissing(String text) {
    assertThatThrownBy(() -> AgentStatus.fromJson(Json.parse(text)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("name");
  }
}
