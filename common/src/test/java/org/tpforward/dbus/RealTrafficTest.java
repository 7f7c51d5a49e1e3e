package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real programs talk to a real bus through reader and writer, which take every message apart and
 * put it together again: nothing that libdbus, GDBus or sd-bus sends may be refused, or come out
 * different.
 */
@Timeout(60)
class RealTrafficTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path directory;
  private TestBus bus;
  private ServerSocketChannel server;
  private String address;
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final Queue<Header> seen = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void start() throws Exception {
    bus = new TestBus(directory);
    Path socket = directory.resolve("forwarded");
    address = "unix:path=" + socket;
    server =
        ServerSocketChannel.open(StandardProtocolFamily.UNIX)
            .bind(UnixDomainSocketAddress.of(socket));
    Thread.ofVirtual().start(this::accept);
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    bus.close();
  }

  private void accept() {
    while (true) {
      SocketChannel client;
      try {
        client = server.accept();
      } catch (IOException e) {
        return;
      }
      Thread.ofPlatform().daemon().start(() -> serve(client));
    }
  }

  private void serve(SocketChannel client) {
    try (client;
        SocketChannel remote = bus.connect()) {
      var local =
          SaslServer.authenticate(
              client, TestBus.uid(), uid -> true, "0123456789abcdef".repeat(2), LONG);
      SaslClient.Result in = SaslClient.external(remote, LONG);
      MessageReader fromClient = new MessageReader(client, local.leftOver());
      MessageReader fromBus = new MessageReader(remote, in.leftOver());
      Thread down = Thread.ofPlatform().daemon().start(() -> pump(fromBus, client));
      pump(fromClient, remote);
      remote.shutdownOutput();
      down.join();
    } catch (IOException | InterruptedException e) {
      failures.add(e);
    }
  }

  private void pump(MessageReader reader, SocketChannel to) {
    MessageWriter writer = new MessageWriter(to);
    try {
      Header header;
      while ((header = reader.next()) != null) {
        seen.add(header);
        byte[] body = reader.readBody(4 << 20);
        List<Value> values = Body.decode(header.signature(), header.order(), body);
        byte[] again = Body.encode(header.order(), values);
        if (!Arrays.equals(again, body)) {
          failures.add(new AssertionError("another body: " + header));
        }
        writer.write(header.withBodyLength(again.length), again);
        if (!reader.hasBuffered()) {
          writer.flush();
        }
      }
    } catch (ProtocolException e) {
      failures.add(e);
    } catch (IOException e) {
      // The other side has gone: programs that are done do not wait for the last signals.
    }
  }

  /** What this prints through our hands is what it prints without us. */
  private void sameAsDirect(String... command) throws Exception {
    int before = seen.size();
    TestBus.Ran direct =
        bus.run(command[0], List.of(command).subList(1, command.length).toArray(String[]::new));
    assertThat(run(command)).isEqualTo(direct);
    assertThat(direct.output()).isNotEmpty();
    assertThat(seen.size()).isGreaterThan(before);
    assertThat(failures).isEmpty();
  }

  private static final String BUS = "org.freedesktop.DBus";
  private static final String BUS_PATH = "/org/freedesktop/DBus";

  @Test
  void gdbusNoticesNothing() throws Exception {
    sameAsDirect("gdbus", "introspect", "--session", "--dest", BUS, "--object-path", BUS_PATH);
    sameAsDirect(
        "gdbus",
        "call",
        "--session",
        "--dest",
        BUS,
        "--object-path",
        BUS_PATH,
        "--method",
        BUS + ".Properties.GetAll",
        BUS);
    sameAsDirect(
        "gdbus",
        "call",
        "--session",
        "--dest",
        "no.such.Name",
        "--object-path",
        "/",
        "--method",
        "a.b.M",
        "{'k': <(1, [<'a'>, <@ay [1, 2]>], {'x': <@a{uv} {}>})>}");
  }

  @Test
  void libdbusNoticesNothing() throws Exception {
    sameAsDirect(
        "dbus-send",
        "--session",
        "--print-reply=literal",
        "--dest=" + BUS,
        BUS_PATH,
        BUS + ".GetId");
    sameAsDirect(
        "dbus-send",
        "--session",
        "--print-reply=literal",
        "--dest=" + BUS,
        BUS_PATH,
        BUS + ".GetNameOwner",
        "string:" + "a".repeat(100_000));
    sameAsDirect(
        "dbus-send",
        "--session",
        "--print-reply",
        "--dest=no.such.Name",
        "/",
        "a.b.M",
        "array:string:a,b",
        "dict:uint32:int64:1,-2,3,4",
        "double:1.5",
        "variant:byte:7",
        "objpath:/a",
        "boolean:true");
  }

  @Test
  void sdBusNoticesNothing() throws Exception {
    sameAsDirect("busctl", "--user", "call", BUS, BUS_PATH, BUS, "GetId");
    sameAsDirect("busctl", "--user", "introspect", BUS, BUS_PATH);
    sameAsDirect("busctl", "--user", "get-property", BUS, BUS_PATH, BUS, "Features");
  }

  @Test
  void aMonitorSeesWhatOthersSay() throws Exception {
    Process monitor =
        TestBus.start("dbus-monitor", List.of("--session", "interface='org.example.I'"), address);
    try (BufferedReader lines = monitor.inputReader(StandardCharsets.UTF_8)) {
      String line;
      while ((line = lines.readLine()) != null && !line.contains("member=NameLost")) {}
      run(
          "gdbus",
          "emit",
          "--session",
          "--object-path",
          "/a",
          "--signal",
          "org.example.I.Happened",
          "[<uint32 42>]");
      while ((line = lines.readLine()) != null && !line.contains("uint32 42")) {}
      assertThat(line).isNotNull();
    } finally {
      monitor.destroyForcibly();
      monitor.waitFor();
    }
    assertThat(failures).isEmpty();
  }

  private TestBus.Ran run(String... command) throws Exception {
    Process process =
        TestBus.start(command[0], List.of(command).subList(1, command.length), address);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new TestBus.Ran(process.waitFor(), output);
  }
}
