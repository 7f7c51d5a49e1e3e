package org.tpforward.server.audit;

import java.time.Instant;

/**
 * One line of the audit: a JSON object (RFC 8259) with {@code time} and {@code event}, and what
 * {@link #with} adds. For one thread.
 */
public final class AuditEvent {
  private final StringBuilder json = new StringBuilder(256);

  AuditEvent(Instant time, String name) {
    json.append("{\"time\":");
    quote(time.toString());
    with("event", name);
  }

  /** Adds a string. */
  public AuditEvent with(String name, String value) {
    member(name);
    quote(value);
    return this;
  }

  /** Adds a number. */
  public AuditEvent with(String name, long value) {
    member(name);
    json.append(value);
    return this;
  }

  private void member(String name) {
    json.append(',');
    quote(name);
    json.append(':');
  }

  /**
   * What is no plain character is escaped, so that nobody's bytes end a line or colour a screen.
   */
  private void quote(String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }

  @Override
  public String toString() {
    return json + "}";
  }
}
