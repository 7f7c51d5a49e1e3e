package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AmountsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "1023, 1023 B",
    "1024, 1.0 KiB",
    "1048575, 1.0 MiB",
    "268435456, 256.0 MiB",
    "9223372036854775807, 8.0 EiB"
  })
  void bytesAreReadable(long bytes, String text) {
    assertThat(Amounts.bytes(bytes)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "-5, 0 s",
    "59, 59 s",
    "60, 1:00 min",
    "3599, 59:59 min",
    "3600, 1:00 h",
    "172799, 47:59 h",
    "172800, 2 d"
  })
  void timesAreReadable(long seconds, String text) {
    assertThat(Amounts.duration(Duration.ofSeconds(seconds))).isEqualTo(text);
  }
}
