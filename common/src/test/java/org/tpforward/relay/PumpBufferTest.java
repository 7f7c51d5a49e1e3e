package org.tpforward.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PumpBufferTest {
  @Test
  void itIsSmallUntilAReadFillsItAndAgainWhenLittleComes() {
    try (PumpBuffer buffer = new PumpBuffer()) {
      assertThat(buffer.clear().capacity()).isEqualTo(PumpBuffer.SMALL);
      buffer.adapt(PumpBuffer.SMALL - 1);
      assertThat(buffer.clear().capacity()).isEqualTo(PumpBuffer.SMALL);
      buffer.adapt(PumpBuffer.SMALL);
      assertThat(buffer.clear().capacity()).isEqualTo(PumpBuffer.LARGE);
      buffer.adapt(PumpBuffer.SMALL);
      assertThat(buffer.clear().capacity()).isEqualTo(PumpBuffer.LARGE);
      buffer.adapt(PumpBuffer.SMALL - 1);
      assertThat(buffer.clear().capacity()).isEqualTo(PumpBuffer.SMALL);
    }
  }

  @Test
  void whoGetsNoLargeOneGoesOnWithTheSmall() {
    List<PumpBuffer> all = new ArrayList<>();
    try {
      for (int i = 0; i < 200; i++) {
        PumpBuffer buffer = new PumpBuffer();
        buffer.adapt(PumpBuffer.SMALL);
        all.add(buffer);
      }
      assertThat(all).filteredOn(b -> b.clear().capacity() == PumpBuffer.LARGE).hasSize(64);
      assertThat(PumpBuffer.lent()).isEqualTo(64);
    } finally {
      all.forEach(PumpBuffer::close);
    }
    assertThat(PumpBuffer.lent()).isZero();
  }
}
