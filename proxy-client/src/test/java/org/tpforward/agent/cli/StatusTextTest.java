package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.tpforward.agent.TestStatus;

final class StatusTextTest {
  @Test
  void showsAllThereIs() {
    String text =
        StatusText.of(
            TestStatus.of("alice"),
            new Colour(false),
            Instant.parse("2026-01-02T03:05:10Z"),
            ZoneOffset.UTC);
    assertThat(text)
        .isEqualTo(
            """
            alice (pid PID)
              destination  alice@example.org
              link         down since 2026-01-02 03:04:05 (1:05 min): no route to host
              bus          unix:path=/run/user/1000/tpforward/alice/bus
              remote bus   unix:path=/run/user/1001/bus
              bus clients  2
              channels     3 open, 17 since the start
              data         1.0 TiB down, 4.0 KiB up
              listeners    1
                           unix:/run/user/1000/tpforward/x/bus  bus
              forwards     1
                           file  unix:/a -> unix:/b  1 stream, 5 B down, 6 B up
                             /org/freedesktop/Telepathy/Connection/x
            """
                .replace("PID", Long.toString(ProcessHandle.current().pid())));
  }

  @Test
  void isColouredWhereItMay() {
    String text =
        StatusText.of(TestStatus.of("alice"), new Colour(true), Instant.now(), ZoneOffset.UTC);
    assertThat(text).contains("\u001b[1malice\u001b[0m", "\u001b[31mdown\u001b[0m");
  }
}
