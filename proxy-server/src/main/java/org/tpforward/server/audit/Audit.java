package org.tpforward.server.audit;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who did what, one line for each login, channel and refusal. For any number of threads. A full
 * disk ends no session: it is told once in the log, and again after it has passed.
 */
public final class Audit implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(Audit.class);

  private static final byte[] NEW_LINE = {'\n'};

  private final OutputStream out;
  private final Clock clock;
  private final Metrics metrics = new Metrics();
  private final Object lock = new Object();
  private long lost; // guarded by the lock

  /**
   * @param out gets whole lines; closed with this
   */
  public Audit(OutputStream out, Clock clock) {
    this.out = out;
    this.clock = clock;
  }

  /** What is counted beside. */
  public Metrics metrics() {
    return metrics;
  }

  /** Begins an event; {@link #write} ends it. */
  public AuditEvent event(String name) {
    return new AuditEvent(clock.instant(), name);
  }

  /** Writes an event's line. */
  public void write(AuditEvent event) {
    byte[] line = (event + "\n").getBytes(StandardCharsets.US_ASCII);
    synchronized (lock) {
      try {
        if (lost > 0) {
          // The first that was lost may be there in part: no whole line is to follow it.
          out.write(NEW_LINE);
        }
        out.write(line);
        out.flush();
        if (lost > 0) {
          log.warn("the audit can be written again; {} lines are lost", lost);
          lost = 0;
        }
      } catch (IOException e) {
        if (lost++ == 0) {
          log.error("the audit cannot be written: {}", e.getMessage());
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    synchronized (lock) {
      out.close();
    }
  }
}
