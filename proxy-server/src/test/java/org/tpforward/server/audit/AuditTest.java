package org.tpforward.server.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class AuditTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-06-01T12:00:00Z"), ZoneOffset.UTC);

  @Test
  void isOneLineOfJsonWhateverTheClientSays() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Audit audit = new Audit(out, CLOCK);
    audit.write(audit.event("refused").with("target", "a\"\\\n\u001b[31m\u00e9").with("ms", 7));
    assertThat(out.toString(StandardCharsets.US_ASCII))
        .isEqualTo(
            "{\"time\":\"2026-06-01T12:00:00Z\",\"event\":\"refused\","
                + "\"target\":\"a\\\"\\\\\\u000a\\u001b[31m\\u00e9\",\"ms\":7}\n");
  }

  @Test
  void goesOnWhenTheDiskWasFull() {
    class Full extends ByteArrayOutputStream {
      boolean full = true;

      @Override
      public void write(byte[] bytes) throws IOException {
        if (full) {
          write(bytes, 0, bytes.length / 2);
          throw new IOException("No space left on device");
        }
        super.write(bytes);
      }
    }

    Full out = new Full();
    Audit audit = new Audit(out, CLOCK);
    audit.write(audit.event("lost"));
    out.full = false;
    audit.write(audit.event("written"));
    // What is left of the line that did not fit is on a line of its own.
    assertThat(out.toString(StandardCharsets.US_ASCII).lines())
        .hasSize(2)
        .anyMatch(line -> line.startsWith("{") && line.endsWith("\"event\":\"written\"}"));
  }

  @Test
  void countsInPrometheusFormat() {
    Metrics metrics = new Metrics();
    metrics.logins.increment();
    assertThat(metrics.text())
        .contains("# TYPE tpforward_server_logins_total counter\ntpforward_server_logins_total 1\n")
        .contains("# TYPE tpforward_server_socket_channels gauge\n");
  }
}
