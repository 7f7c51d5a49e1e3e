package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;

/** The session bus, wherever it is: an agent's or this machine's. */
public final class SessionBus {
  /** For calls that a CM answers only when somebody on the network has. */
  static final Duration NETWORK = Duration.ofSeconds(90);

  private static final String VARIABLE = "DBUS_SESSION_BUS_ADDRESS";
  private static final int MAX_PORT = 65535;

  private SessionBus() {}

  /**
   * Connects to {@code $DBUS_SESSION_BUS_ADDRESS}, without it to {@code $XDG_RUNTIME_DIR/bus}.
   *
   * @param environment of the process
   * @return the caller closes it
   * @throws TransferException if there is none, saying what was tried
   */
  public static BusConnection open(Map<String, String> environment) throws TransferException {
    String address = environment.getOrDefault(VARIABLE, "");
    if (address.isEmpty()) {
      Path usual = Path.of(environment.getOrDefault("XDG_RUNTIME_DIR", "/run")).resolve("bus");
      if (!Files.exists(usual)) {
        throw new TransferException(
            VARIABLE
                + " is not set; for a remote bus: eval \"$(tpforward agent DESTINATION)\", or"
                + " tpforward run DESTINATION -- COMMAND");
      }
      address = new BusAddress("unix", Map.of("path", usual.toString())).toString();
    }
    List<String> tried = new ArrayList<>();
    for (BusAddress one : parse(address)) {
      try {
        return BusConnection.open(connect(one, environment), BusConnection.DEFAULT_TIMEOUT);
      } catch (IOException e) {
        tried.add(one + " (" + e.getMessage() + ")");
      }
    }
    throw new TransferException("no bus answers at " + String.join(", ", tried));
  }

  private static List<BusAddress> parse(String address) throws TransferException {
    try {
      return BusAddress.parse(address);
    } catch (ProtocolException e) {
      throw new TransferException(VARIABLE + ": " + e.getMessage());
    }
  }

  private static Connection connect(BusAddress address, Map<String, String> environment)
      throws IOException {
    Endpoint endpoint = endpoint(address, environment);
    if (endpoint == null) {
      throw new IOException("an address of a kind that is not supported");
    }
    return Connection.connect(endpoint);
  }

  private static @Nullable Endpoint endpoint(BusAddress address, Map<String, String> environment)
      throws UnknownHostException {
    String path = address.key("path");
    String name = address.key("abstract");
    String runtime = environment.get("XDG_RUNTIME_DIR");
    return switch (address.transport()) {
      case "unix" -> {
        if (path != null) {
          yield new Endpoint.UnixPath(path);
        }
        if (name != null) {
          yield new Endpoint.UnixAbstract(name);
        }
        yield "yes".equals(address.key("runtime")) && runtime != null
            ? new Endpoint.UnixPath(runtime + "/bus")
            : null;
      }
      case "tcp" -> tcp(address.key("host"), address.key("port"));
      default -> null;
    };
  }

  private static @Nullable Endpoint tcp(@Nullable String host, @Nullable String port)
      throws UnknownHostException {
    if (host == null || port == null || !port.matches("[0-9]{1,5}")) {
      return null;
    }
    int number = Integer.parseInt(port);
    return number < 1 || number > MAX_PORT
        ? null
        : new Endpoint.Ip(InetAddress.getByName(host), number);
  }
}
