package org.tpforward.server.audit;

import java.util.concurrent.atomic.LongAdder;

/** What is counted, and shown in Prometheus' text format. For any number of threads. */
public final class Metrics {
  /** SSH connections that are logged in now. */
  public final LongAdder loginsNow = new LongAdder();

  /** Logins so far. */
  public final LongAdder logins = new LongAdder();

  /** Keys that were refused so far. */
  public final LongAdder loginsRefused = new LongAdder();

  /** Channels to the bus, open now. */
  public final LongAdder busChannelsNow = new LongAdder();

  /** Channels to or from a CM's sockets, open now. */
  public final LongAdder socketChannelsNow = new LongAdder();

  /** Channels that were opened so far. */
  public final LongAdder channels = new LongAdder();

  /** Channels and listeners that were refused so far. */
  public final LongAdder refused = new LongAdder();

  /** Bytes from clients, of channels that have ended. */
  public final LongAdder bytesFromClients = new LongAdder();

  /** Bytes to clients, of channels that have ended. */
  public final LongAdder bytesToClients = new LongAdder();

  /** The text exposition format, version 0.0.4. */
  public String text() {
    StringBuilder text = new StringBuilder(1024);
    gauge(text, "logins", "SSH connections that are logged in", loginsNow);
    counter(text, "logins_total", "Logins", logins);
    counter(text, "logins_refused_total", "Keys that were refused", loginsRefused);
    gauge(text, "bus_channels", "Channels to a bus", busChannelsNow);
    gauge(text, "socket_channels", "Channels to or from sockets of CMs", socketChannelsNow);
    counter(text, "channels_total", "Channels that were opened", channels);
    counter(text, "refused_total", "Channels and listeners that were refused", refused);
    counter(
        text, "from_clients_bytes_total", "Bytes from clients in ended channels", bytesFromClients);
    counter(text, "to_clients_bytes_total", "Bytes to clients in ended channels", bytesToClients);
    return text.toString();
  }

  private static void gauge(StringBuilder text, String name, String help, LongAdder value) {
    metric(text, name, help, "gauge", value);
  }

  private static void counter(StringBuilder text, String name, String help, LongAdder value) {
    metric(text, name, help, "counter", value);
  }

  private static void metric(
      StringBuilder text, String name, String help, String type, LongAdder value) {
    String full = "tpforward_server_" + name;
    text.append("# HELP %s %s\n# TYPE %s %s\n".formatted(full, help, full, type))
        .append("%s %d\n".formatted(full, value.sum()));
  }
}
