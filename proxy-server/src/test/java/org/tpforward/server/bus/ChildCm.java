package org.tpforward.server.bus;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;

/** A {@link CmMain}, and the test's own connection by which it gets its orders. */
final class ChildCm implements AutoCloseable {
  static final String CHANNEL = "/org/freedesktop/Telepathy/Connection/fake/x/y/Channel1";

  private final Process process;
  private final Peer orders;
  private final String name;

  ChildCm(TestBus bus, Path directory) throws Exception {
    this(bus, directory, CmMain.NAME);
  }

  ChildCm(TestBus bus, Path directory, String wellKnown) throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("java.class.path"),
            "--enable-native-access=ALL-UNNAMED",
            CmMain.class.getName(),
            ((Endpoint.UnixPath) bus.endpoint()).path(),
            directory.toString(),
            wellKnown);
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
    String line = output.readLine();
    if (line == null) {
      throw new IOException("the CM did not start");
    }
    name = line;
    orders = Peer.connect(bus.endpoint());
  }

  /** Its unique name. */
  String name() {
    return name;
  }

  private Peer.Received order(String member, Value... arguments) throws Exception {
    Peer.Received reply = orders.call(name, "/", CmMain.TEST, member, arguments);
    if (reply.header().errorName() != null) {
      throw new AssertionError(reply.error());
    }
    return reply;
  }

  /** Has it listen; on a Unix socket it greets whoever connects. */
  Endpoint listen(AddressType type) throws Exception {
    return Addresses.parse(type, order("Listen", Value.u(type.code())).argument(0));
  }

  /** Has it say that to all calls of the member; the fields of a struct are several arguments. */
  void answer(String member, Value value) throws Exception {
    order("Answer", Value.of(member), new Value.Variant(value));
  }

  /** Has it hand out that address. */
  void answer(String member, Endpoint endpoint) throws Exception {
    // A struct, since a variant in a variant would be taken for one.
    answer(member, new Value.Struct(List.of(new Value.Variant(Addresses.toValue(endpoint)))));
  }

  /** The members that were called since the last time. */
  List<String> called() throws Exception {
    return order("Called").text().lines().toList();
  }

  void signal(String path, String interfaceName, String member, Value... arguments)
      throws Exception {
    List<Value> all =
        new ArrayList<>(List.of(Value.of(path), Value.of(interfaceName), Value.of(member)));
    all.addAll(List.of(arguments));
    order("Signal", all.toArray(Value[]::new));
  }

  void own(String wellKnown) throws Exception {
    order("Own", Value.of(wellKnown));
  }

  void release(String wellKnown) throws Exception {
    order("Release", Value.of(wellKnown));
  }

  /** Has it connect there and say something. */
  void connectTo(Endpoint endpoint) throws Exception {
    order(
        "Connect",
        Value.u(Addresses.typeOf(endpoint).code()),
        new Value.Variant(Addresses.toValue(endpoint)));
  }

  long pid() {
    return process.pid();
  }

  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    orders.close();
    process.destroyForcibly();
  }
}
