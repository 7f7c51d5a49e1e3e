package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class RateTest {
  private static final long MIB = 1 << 20;
  private static final long SECOND = 1_000_000_000L;

  @Test
  void showsBarPercentBytesRateAndTimeLeft() {
    Rate rate = new Rate("film.mkv to bob", 100 * MIB, 0, 0);
    rate.at(25 * MIB);
    assertThat(rate.bar(5 * SECOND, 80))
        .isEqualTo(
            "film.mkv to bob [#####-----------------]  25 %   25.0 MiB    5.0 MiB/s      15 s")
        .hasSize(80);
  }

  @Test
  void countsTheRateWithoutWhatWasThereBefore() {
    Rate rate = new Rate("f", 100 * MIB, 90 * MIB, 0);
    rate.at(95 * MIB);
    assertThat(rate.line(SECOND)).isEqualTo("f: 95.0 MiB of 100.0 MiB (95 %), 5.0 MiB/s");
  }

  @Test
  void neverIsWiderThanTheTerminal() {
    Rate rate = new Rate("a name of some length to a contact \ud83d\ude00\ud83d\ude00", MIB, 0, 0);
    rate.at(MIB / 2);
    for (int width = 1; width < 200; width++) {
      assertThat(rate.bar(SECOND, width).length())
          .as("at %d columns", width)
          .isLessThanOrEqualTo(width);
    }
  }

  @Test
  void keepsTheNumbersWhereThereIsNoRoomForABar() {
    Rate rate = new Rate("a-rather-long-name.tar.gz to somebody@example.org", 100 * MIB, 0, 0);
    rate.at(25 * MIB);
    assertThat(rate.bar(5 * SECOND, 60))
        .isEqualTo("a-rather-long-name.~  25 %   25.0 MiB    5.0 MiB/s      15 s");
  }

  @Test
  void saysHundredPercentOnlyWhenAllIsThere() {
    Rate rate = new Rate("f", 1000 * MIB, 0, 0);
    rate.at(1000 * MIB - 1);
    assertThat(rate.percent()).isEqualTo(99);
    rate.at(1000 * MIB);
    assertThat(rate.percent()).isEqualTo(100);
    assertThat(new Rate("empty", 0, 0, 0).percent()).isEqualTo(100);
  }

  @Test
  void showsWhatItKnowsOfAFileOfUnknownSize() {
    Rate rate = new Rate("f", -1, 0, 0);
    rate.at(MIB);
    assertThat(rate.line(SECOND)).isEqualTo("f: 1.0 MiB, 1.0 MiB/s");
    assertThat(rate.bar(SECOND, 60)).doesNotContain("%").contains("1.0 MiB");
  }

  @Test
  void addsSeveralUp() {
    Rate one = new Rate("one", 100 * MIB, 0, 0);
    Rate two = new Rate("two", 300 * MIB, 0, SECOND);
    one.at(50 * MIB);
    two.at(150 * MIB);
    assertThat(Rate.sum(List.of(one, two)).line(2 * SECOND))
        .isEqualTo("2 files: 200.0 MiB of 400.0 MiB (50 %), 100.0 MiB/s");
  }
}
