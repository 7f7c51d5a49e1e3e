package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.tpforward.agent.Json;
import org.tpforward.agent.telepathy.Tube;
import org.tpforward.socket.Endpoint;

final class TubeLinesTest {
  private final Tube tube =
      new Tube(
          "rfb",
          "bob\u001b[31m",
          new Endpoint.Ip(InetAddress.getLoopbackAddress(), 5900),
          Map.of("password", "geheim\n"));

  @Test
  void aSecretIsShownOnlyWhereItIsAskedFor() {
    assertThat(said(new TubeLines(false, false, true), lines -> lines.open(tube)))
        .isEqualTo(
            """
            rfb from bob?[31m is at 127.0.0.1:5900
              password = ******** (--show-params shows it)
            """);
    assertThat(said(new TubeLines(false, true, true), lines -> lines.open(tube)))
        .endsWith("  password = geheim \n");
    assertThat(said(new TubeLines(true, false, true), lines -> lines.open(tube)))
        .contains("\"parameters\":{\"password\":null}")
        .doesNotContain("geheim");
    assertThat(tube.toString()).doesNotContain("geheim");
  }

  @Test
  void theOfferingEndNeverShowsIt() {
    assertThat(said(new TubeLines(false, false, false), lines -> lines.open(tube)))
        .isEqualTo("rfb is open to bob?[31m\n");
  }

  @Test
  void eachEventIsAnObjectOnALineOfItsOwn() {
    String said =
        said(
            new TubeLines(true, true, true),
            lines -> {
              lines.waiting("for bob");
              lines.open(tube);
              lines.connected(1);
              lines.ended(1, 2, 3, null);
              lines.ended(2, 0, 0, "reset");
              lines.closed(tube, "the tube was closed");
            });
    assertThat(said.lines().map(line -> Json.parse(line).toString()))
        .containsExactly(
            "{\"event\":\"waiting\"}",
            "{\"event\":\"open\",\"service\":\"rfb\",\"contact\":\"bob\\u001b[31m\",\"address\":"
                + "\"127.0.0.1:5900\",\"port\":5900,\"parameters\":{\"password\":\"geheim\\n\"}}",
            "{\"event\":\"connected\",\"connection\":1}",
            "{\"event\":\"ended\",\"connection\":1,\"received\":2,\"sent\":3,\"reason\":null}",
            "{\"event\":\"ended\",\"connection\":2,\"received\":0,\"sent\":0,\"reason\":\"reset\"}",
            "{\"event\":\"closed\",\"reason\":\"the tube was closed\"}");
  }

  @Test
  void aConnectionIsALineAtItsBeginningAndOneAtItsEnd() {
    assertThat(
            said(
                new TubeLines(false, false, true),
                lines -> {
                  lines.connected(1);
                  lines.ended(1, 2048, 3, "reset");
                }))
        .isEqualTo("connection 1 opened\nconnection 1 ended: received 2.0 KiB, sent 3 B: reset\n");
  }

  private static String said(TubeLines lines, Consumer<TubeLines> what) {
    PrintStream out = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      what.accept(lines);
    } finally {
      System.setOut(out);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
