package org.tpforward.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.tpforward.server.audit.Metrics;

/** Shows {@link Metrics} to a Prometheus of this machine: GET /metrics on a port of loopback. */
final class MetricsServer implements AutoCloseable {
  private static final int BACKLOG = 16;

  private final HttpServer http;

  private MetricsServer(HttpServer http) {
    this.http = http;
  }

  /**
   * Starts.
   *
   * @param address on loopback
   * @throws ServerException if it cannot listen there
   */
  static MetricsServer start(InetSocketAddress address, Metrics metrics) throws ServerException {
    if (!address.getAddress().isLoopbackAddress()) {
      throw new ServerException("--metrics is for a port of loopback: " + address);
    }
    try {
      HttpServer http = HttpServer.create(address, BACKLOG);
      http.createContext("/metrics", exchange -> answer(exchange, metrics));
      http.start();
      return new MetricsServer(http);
    } catch (IOException e) {
      throw new ServerException("cannot listen for metrics on " + address + ": " + e, e);
    }
  }

  private static void answer(HttpExchange exchange, Metrics metrics) throws IOException {
    try (exchange) {
      if (!exchange.getRequestMethod().equals("GET")) {
        exchange.sendResponseHeaders(405, -1);
        return;
      }
      byte[] text = metrics.text().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
      exchange.sendResponseHeaders(200, text.length);
      exchange.getResponseBody().write(text);
    }
  }

  /** Where it listens. */
  int port() {
    return http.getAddress().getPort();
  }

  @Override
  public void close() {
    http.stop(0);
  }
}
