package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;

/** One account's client on the bus, by the project's own D-Bus: not the code that the CM uses. */
final class TestClient implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String ERROR = "org.freedesktop.Telepathy.Error.";

  private final BusConnection bus;
  private final String account;
  private final List<Signal> signals = new ArrayList<>();

  private TestClient(BusConnection bus, String account) {
    this.bus = bus;
    this.account = account;
  }

  /** Connects an account. */
  static TestClient connect(Path socket, String account) throws Exception {
    BusConnection bus =
        BusConnection.open(SocketChannel.open(UnixDomainSocketAddress.of(socket)), PATIENCE);
    TestClient client = new TestClient(bus, account);
    bus.onSignal(client::keep);
    bus.addMatch("type='signal'");
    client.callCm(
        Names.CM,
        "RequestConnection",
        Value.of("loopback"),
        Value.dict(Map.of("account", Value.of(account))));
    client.call(client.path(), Names.CONNECTION, "Connect");
    return client;
  }

  private synchronized void keep(Signal signal) {
    signals.add(signal);
    notifyAll();
  }

  String account() {
    return account;
  }

  /** The connection's object path. */
  String path() {
    return Names.CONNECTION_PATH + account;
  }

  List<Value> call(String path, String iface, String member, Value... arguments)
      throws IOException, DBusErrorException {
    return bus.call(Names.CONNECTION_NAME + account, path, iface, member, PATIENCE, arguments);
  }

  List<Value> callCm(String iface, String member, Value... arguments)
      throws IOException, DBusErrorException {
    return bus.call(Names.CM_NAME, Names.CM_PATH, iface, member, PATIENCE, arguments);
  }

  /** Calls any object of the bus. */
  List<Value> callAt(String name, String path, String iface, String member, Value... arguments)
      throws IOException, DBusErrorException {
    return bus.call(name, path, iface, member, PATIENCE, arguments);
  }

  /** The last part of the Telepathy error that a call fails with. */
  String errorOf(String path, String iface, String member, Value... arguments) {
    DBusErrorException e =
        catchThrowableOfType(DBusErrorException.class, () -> call(path, iface, member, arguments));
    return e == null ? "none" : e.errorName().replace(ERROR, "");
  }

  Value property(String path, String iface, String name) throws Exception {
    List<Value> reply = call(path, BusObject.PROPERTIES, "Get", Value.of(iface), Value.of(name));
    return ((Value.Variant) reply.get(0)).value();
  }

  void misbehave(String key, Value value) throws Exception {
    callCm(Misbehaviour.INTERFACE, "SetMisbehaviour", Value.dict(Map.of(key, value)));
  }

  /** Asks for a channel; its path. */
  String create(Map<String, Value> request) throws Exception {
    List<Value> reply = call(path(), Names.REQUESTS, "CreateChannel", Value.dict(request));
    return ((Value.ObjPath) reply.get(0)).value();
  }

  /** A request for a file transfer. */
  static Map<String, Value> file(String peer, long size) {
    Map<String, Value> request = new LinkedHashMap<>();
    request.put(Names.CHANNEL + ".ChannelType", Value.of(Names.FILE_TRANSFER));
    request.put(Names.CHANNEL + ".TargetHandleType", Value.u(1));
    request.put(Names.CHANNEL + ".TargetID", Value.of(peer));
    request.put(Names.FILE_TRANSFER + ".Filename", Value.of("a file"));
    request.put(Names.FILE_TRANSFER + ".ContentType", Value.of("text/plain"));
    request.put(Names.FILE_TRANSFER + ".Size", Value.t(size));
    return request;
  }

  /**
   * A request for a tube.
   *
   * @param type a channel type
   * @param targetType {@link Handles#CONTACT} or {@link Handles#ROOM}
   * @param service what the tube is for; ignored where the channel has no service of its own
   */
  static Map<String, Value> tube(String type, int targetType, String target, String service) {
    Map<String, Value> request = new LinkedHashMap<>();
    request.put(Names.CHANNEL + ".ChannelType", Value.of(type));
    request.put(Names.CHANNEL + ".TargetHandleType", Value.u(targetType));
    request.put(Names.CHANNEL + ".TargetID", Value.of(target));
    if (type.equals(Names.STREAM_TUBE)) {
      request.put(type + ".Service", Value.of(service));
    } else if (type.equals(Names.DBUS_TUBE)) {
      request.put(type + ".ServiceName", Value.of(service));
    }
    return request;
  }

  /** This account's handle. */
  long handle() throws Exception {
    return ((Value.Uint32) property(path(), Names.CONNECTION, "SelfHandle")).value();
  }

  /** Waits for a signal from this account's objects, and takes it and what came before it. */
  synchronized Signal await(String path, String member, Predicate<List<Value>> wanted)
      throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      for (int i = 0; i < signals.size(); i++) {
        Signal signal = signals.get(i);
        if (path.equals(signal.header().path())
            && member.equals(signal.header().member())
            && wanted.test(signal.body())) {
          signals.remove(i);
          return signal;
        }
      }
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("no " + member + " from " + path + " among " + names());
      }
      wait(left);
    }
  }

  /** Whether a signal has come that nobody has waited for. */
  synchronized boolean has(String path, String member) {
    return signals.stream()
        .anyMatch(s -> path.equals(s.header().path()) && member.equals(s.header().member()));
  }

  private List<String> names() {
    return signals.stream().map(s -> s.header().path() + " " + s.header().member()).toList();
  }

  Signal await(String path, String member) throws InterruptedException {
    return await(path, member, body -> true);
  }

  /** Waits for the next channel that somebody else opened; its path. */
  String awaitChannel() throws InterruptedException {
    Signal signal = await(path(), "NewChannels");
    Value.Struct first = (Value.Struct) ((Value.Array) signal.body().get(0)).elements().get(0);
    return ((Value.ObjPath) first.fields().get(0)).value();
  }

  /** Waits until a file channel is in a state; the reason. */
  long awaitState(String channel, FileChannel.State state) throws InterruptedException {
    Signal signal =
        await(
            channel, "FileTransferStateChanged", body -> body.get(0).equals(Value.u(state.code())));
    return ((Value.Uint32) signal.body().get(1)).value();
  }

  /** The states that a channel has gone through and nobody has waited for, with their reasons. */
  synchronized List<List<Value>> statesOf(String channel) {
    return signals.stream()
        .filter(signal -> channel.equals(signal.header().path()))
        .filter(signal -> "FileTransferStateChanged".equals(signal.header().member()))
        .map(Signal::body)
        .toList();
  }

  @Override
  public void close() {
    bus.close();
  }
}
