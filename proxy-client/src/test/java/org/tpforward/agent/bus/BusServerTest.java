package org.tpforward.agent.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.link.Link;
import org.tpforward.agent.link.RemoteSocket;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.ssh.Incoming;
import org.tpforward.telepathy.AddressType;

/**
 * A forwarded bus with a real dbus-daemon behind it and real programs before it; no SSH between.
 */
class BusServerTest {
  @TempDir Path directory;
  private TestBus bus;
  private Forwards forwards;
  private Control control;
  private BusServer server;
  private String address;

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    Link link = new DirectLink();
    Control.BusOpener opener =
        () -> Connection.connect(new Endpoint.UnixPath(bus.socket().toString()));
    forwards =
        new Forwards(
            link,
            AllowedUids.own(),
            type -> new Endpoint.UnixPath(directory.resolve("f").toString()),
            Forwards.Settings.DEFAULT);
    control = new Control(opener, Duration.ofSeconds(25), forwards::happened, () -> {});
    Path socket = directory.resolve("bus");
    address = "unix:path=" + socket;
    server =
        new BusServer(
            Listener.open(new Endpoint.UnixPath(socket.toString())),
            AllowedUids.own(),
            control,
            opener,
            link,
            forwards,
            Duration.ofSeconds(30));
    server.start();
  }

  @AfterEach
  void stop() {
    server.close();
    control.close();
    forwards.close();
    bus.close();
  }

  @Test
  void gdbusWaitsForEachSaslLine() throws Exception {
    assertThat(
            TestBus.run(
                address,
                List.of(
                    "gdbus",
                    "call",
                    "--session",
                    "--dest=org.freedesktop.DBus",
                    "--object-path=/org/freedesktop/DBus",
                    "--method=org.freedesktop.DBus.GetNameOwner",
                    "org.freedesktop.DBus")))
        .contains("('org.freedesktop.DBus',)");
  }

  @Test
  void busctlSendsSaslAndHelloInOneWrite() throws Exception {
    assertThat(
            TestBus.run(
                address,
                List.of(
                    "busctl",
                    "--address=" + address,
                    "call",
                    "org.freedesktop.DBus",
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus",
                    "NameHasOwner",
                    "s",
                    "org.freedesktop.DBus")))
        .contains("b true");
  }

  @Test
  void dbusSendIsLibdbus() throws Exception {
    assertThat(
            TestBus.run(
                address,
                List.of(
                    "dbus-send",
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.ListNames")))
        .contains("org.freedesktop.DBus");
  }

  @Test
  void aUniqueNameIsOurs() throws Exception {
    TestBus.run(address, List.of("dbus-send", "--session", "/x", "x.y.Z"));
    assertThat(server.served()).isEqualTo(1);
  }

  /** The same machine plays the far end. */
  private static final class DirectLink implements Link {
    @Override
    public Duplex open(Endpoint target) throws java.io.IOException {
      return Connection.connect(target);
    }

    @Override
    public RemoteSocket listen(AddressType type, Consumer<Incoming> connections) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Abilities abilities() {
      return Abilities.OPENSSH;
    }
  }
}
