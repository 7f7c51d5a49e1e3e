package org.tpforward.harness;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.DBusErrorException;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Endpoints;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/**
 * An account at the loopback CM that offers and accepts stream tubes: {@code TubePeer ACCOUNT} on
 * DBUS_SESSION_BUS_ADDRESS. It says {@code ready}, reads commands line by line, {@code NUMBER WORD
 * ARGUMENTS}, does each on a thread of its own, and answers {@code NUMBER ok …}, {@code NUMBER
 * refused ERROR: TEXT} where a call failed, or {@code NUMBER failed WHY}. KIND is {@code
 * TYPE:ACCESS} in the specification's numbers, TUBE the service's name.
 *
 * <pre>
 * cm MEMBER [WORD]              calls the CM's test interface
 * cm MEMBER [KEY TYPE VALUE]…   the same with a dictionary; TYPE is s, t or address (host,port)
 * offer TUBE PEER KIND MANNER   {@link TubeService.Manner}; answers the service's address
 * accept TUBE KIND              waits for the tube; answers the local address
 * run TUBE COUNT AT-ONCE SIZE   {@link TubeTraffic} over a tube that was accepted
 * open TUBE NAME                one connection, whose first five bytes have come
 * send NAME COUNT               writes so many bytes
 * stuff NAME                    writes until nothing is taken any more; how many bytes that were
 * silent TUBE NAME              one connection, on which nothing is sent, no byte either
 * end NAME                      reads to the end: eof or broken, and how many bytes
 * half NAME                     ends our direction
 * tell TUBE                     has the service go on
 * served TUBE COUNT             waits for so many connections; bytes read by the service
 * named TUBE COUNT              compares NewRemoteConnection with what the service saw
 * close TUBE                    closes our channel of it
 * await TUBE MEMBER             waits for a signal of the channel
 * </pre>
 */
public final class TubePeer {
  private static final String CM = Names.PREFIX + ".ConnectionManager";
  private static final String CM_PATH = "/org/freedesktop/Telepathy/ConnectionManager/loopback";
  private static final String CONNECTION = Names.PREFIX + ".Connection";

  /** Bytes that no service which does not read can be taken to have room for. */
  private static final long MOST = 256 << 20;

  private final String account;
  private final BusConnection bus;
  private final List<Signal> signals = new ArrayList<>();
  private final Map<String, String> paths = new ConcurrentHashMap<>();
  private final Map<String, TubeService> services = new ConcurrentHashMap<>();
  private final Map<String, Accepted> accepted = new ConcurrentHashMap<>();
  private final Map<String, Connection> open = new ConcurrentHashMap<>();
  private final AtomicInteger sockets = new AtomicInteger();

  /** A tube whose local end is here. */
  private record Accepted(
      SocketKind kind, Endpoint address, Endpoint.@Nullable Ip source, AtomicInteger connections) {}

  private TubePeer(String account, BusConnection bus) {
    this.account = account;
    this.bus = bus;
  }

  /** Runs the program, until its input ends. */
  public static void main(String[] arguments) throws Exception {
    String address = System.getenv("DBUS_SESSION_BUS_ADDRESS");
    String path = BusAddress.parse(String.valueOf(address)).getFirst().key("path");
    BusConnection bus =
        BusConnection.open(
            SocketChannel.open(UnixDomainSocketAddress.of(String.valueOf(path))), Proc.PATIENCE);
    TubePeer peer = new TubePeer(arguments[0], bus);
    bus.onSignal(peer::keep);
    bus.addMatch("type='signal'");
    bus.onClosed(() -> say("bus closed"));
    peer.connect();
    say("ready");
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      String[] words = line.split(" ", -1);
      Threads.start(words[1], () -> peer.answer(words));
    }
    System.exit(0);
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private void connect() throws IOException, DBusErrorException {
    Map<String, Value> parameters = Map.of("account", Value.of(account));
    var _ =
        bus.call(
            CM + ".loopback",
            CM_PATH,
            CM,
            "RequestConnection",
            Proc.PATIENCE,
            Value.of("loopback"),
            Value.dict(parameters));
    var _ = call(connectionPath(), CONNECTION, "Connect");
  }

  private String connectionPath() {
    return "/org/freedesktop/Telepathy/Connection/loopback/loopback/" + account;
  }

  private List<Value> call(String path, String iface, String member, Value... arguments)
      throws IOException, DBusErrorException {
    return bus.call(
        CONNECTION + ".loopback.loopback." + account,
        path,
        iface,
        member,
        Proc.PATIENCE,
        arguments);
  }

  private synchronized void keep(Signal signal) {
    signals.add(signal);
    notifyAll();
  }

  private void answer(String[] words) {
    try {
      say(words[0] + " ok " + command(words));
    } catch (DBusErrorException e) {
      say(words[0] + " refused " + e.getMessage());
    } catch (Exception e) {
      say(words[0] + " failed " + e);
    }
  }

  private String command(String[] w) throws Exception {
    return switch (w[1]) {
      case "cm" -> cm(w);
      case "offer" -> offer(w[2], w[3], kind(w[4]), TubeService.Manner.valueOf(w[5]));
      case "accept" -> accept(w[2], kind(w[3]));
      case "run" -> run(get(accepted, w[2]), w[2], number(w[3]), number(w[4]), number(w[5]));
      case "open" -> {
        Connection connection = connect(get(accepted, w[2]), w[2], 0);
        open.put(w[3], connection);
        ByteBuffer five = TubeTraffic.readExactly(connection, 5);
        yield StandardCharsets.US_ASCII.decode(five).toString();
      }
      case "silent" -> {
        open.put(w[3], TelepathySockets.connect(get(accepted, w[2]).address()));
        yield "";
      }
      case "send" -> send(get(open, w[2]), number(w[3]));
      case "stuff" -> stuff(get(open, w[2]));
      case "end" -> end(get(open, w[2]));
      case "half" -> {
        get(open, w[2]).shutdownOutput();
        yield "";
      }
      case "tell" -> {
        get(services, w[2]).tell();
        yield "";
      }
      case "served" -> served(get(services, w[2]), number(w[3]));
      case "named" -> named(w[2], number(w[3]));
      case "close" -> {
        var _ = call(get(paths, w[2]), Names.CHANNEL, "Close");
        yield "";
      }
      case "await" -> await(get(paths, w[2]), w[3], body -> true).body().toString();
      default -> throw new IllegalArgumentException(w[1]);
    };
  }

  private static <T> T get(Map<String, T> map, String key) {
    T value = map.get(key);
    if (value == null) {
      throw new IllegalArgumentException("there is no " + key);
    }
    return value;
  }

  private static int number(String word) {
    return Integer.parseInt(word);
  }

  private static SocketKind kind(String word) throws TelepathyException {
    String[] numbers = word.split(":", -1);
    return SocketKind.of(number(numbers[0]), number(numbers[1]));
  }

  private String cm(String[] w) throws IOException, DBusErrorException {
    Map<String, Value> wanted = new LinkedHashMap<>();
    for (int i = 3; i + 2 < w.length; i += 3) {
      wanted.put(w[i], value(w[i + 1], w[i + 2]));
    }
    Value[] arguments = {};
    if (w.length == 4) {
      arguments = new Value[] {Value.of(w[3])};
    } else if (!wanted.isEmpty()) {
      arguments = new Value[] {Value.dict(wanted)};
    }
    return bus.call(
            CM + ".loopback",
            CM_PATH,
            "org.tpforward.Loopback.Test",
            w[2],
            Proc.PATIENCE,
            arguments)
        .toString();
  }

  private static Value value(String type, String word) {
    return switch (type) {
      case "t" -> Value.t(Long.parseLong(word));
      case "address" -> {
        int comma = word.indexOf(',');
        yield Value.struct(
            Value.of(word.substring(0, comma)), Value.q(number(word.substring(comma + 1))));
      }
      default -> Value.of(word);
    };
  }

  private String offer(String tube, String peer, SocketKind kind, TubeService.Manner manner)
      throws IOException, DBusErrorException {
    Map<String, Value> request = new LinkedHashMap<>();
    request.put(Names.CHANNEL + ".ChannelType", Value.of(Names.STREAM_TUBE));
    request.put(Names.CHANNEL + ".TargetHandleType", Value.u(1));
    request.put(Names.CHANNEL + ".TargetID", Value.of(peer));
    request.put(Names.STREAM_TUBE + ".Service", Value.of(tube));
    List<Value> made = call(connectionPath(), Names.REQUESTS, "CreateChannel", Value.dict(request));
    String path = ((Value.ObjPath) made.getFirst()).value();
    paths.put(tube, path);
    TubeService service = new TubeService(kind, manner, place(kind.type()));
    try {
      var _ =
          call(
              path,
              Names.STREAM_TUBE,
              "Offer",
              Value.u(kind.type().code()),
              new Value.Variant(Addresses.toValue(service.endpoint())),
              Value.u(kind.access().code()),
              Value.dict(Map.of()));
    } catch (DBusErrorException e) {
      service.close();
      throw e;
    }
    services.put(tube, service);
    if (manner == TubeService.Manner.ABSENT) {
      service.leave();
    }
    return path + " " + service.endpoint();
  }

  private Endpoint place(AddressType type) {
    return switch (type) {
      case UNIX ->
          new Endpoint.UnixPath(
              System.getenv("XDG_RUNTIME_DIR") + "/" + account + "-" + sockets.incrementAndGet());
      case ABSTRACT_UNIX -> Endpoints.randomAbstract("tube-peer");
      case IPV4 -> anyPort("127.0.0.1");
      case IPV6 -> anyPort("::1");
    };
  }

  private static Endpoint.Ip anyPort(String host) {
    return new Endpoint.Ip(java.net.InetAddress.ofLiteral(host), 0);
  }

  private String accept(String tube, SocketKind kind)
      throws IOException, DBusErrorException, InterruptedException, TelepathyException {
    AtomicReference<String> found = new AtomicReference<>();
    var _ = await(connectionPath(), "NewChannels", body -> isTube(body, tube, found));
    String path = String.valueOf(found.get());
    paths.put(tube, path);
    Endpoint.Ip source = null;
    if (kind.access() == AccessControl.PORT) {
      try (Listener free = Listener.open(place(kind.type()))) {
        source = (Endpoint.Ip) free.endpoint();
      }
    }
    List<Value> reply =
        call(
            path,
            Names.STREAM_TUBE,
            "Accept",
            Value.u(kind.type().code()),
            Value.u(kind.access().code()),
            new Value.Variant(source == null ? Value.u(0) : Addresses.toValue(source)));
    Endpoint address = Addresses.parse(kind.type(), reply.getFirst());
    accepted.put(tube, new Accepted(kind, address, source, new AtomicInteger()));
    return path + " " + address;
  }

  /** Whether NewChannels tells of that tube, which somebody else offers. */
  private static boolean isTube(List<Value> body, String tube, AtomicReference<String> path) {
    for (Value element : ((Value.Array) body.getFirst()).elements()) {
      List<Value> channel = ((Value.Struct) element).fields();
      Value.Dict properties = (Value.Dict) channel.get(1);
      if (Value.v(Value.of(tube)).equals(properties.get(Names.STREAM_TUBE + ".Service"))
          && Value.v(Value.of(false)).equals(properties.get(Names.CHANNEL + ".Requested"))) {
        path.set(((Value.ObjPath) channel.getFirst()).value());
        return true;
      }
    }
    return false;
  }

  /** Waits for a signal, and takes it. */
  private synchronized Signal await(String path, String member, Predicate<List<Value>> wanted)
      throws InterruptedException, IOException {
    long end = System.nanoTime() + Proc.PATIENCE.toNanos();
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
        throw new IOException("no " + member + " from " + path);
      }
      wait(left);
    }
  }

  /** Connects as the tube's access control wants it; data may follow. */
  private Connection connect(Accepted to, String tube, long number)
      throws IOException, InterruptedException {
    to.connections().incrementAndGet();
    return switch (to.kind().access()) {
      case CREDENTIALS -> {
        Connection connection =
            TelepathySockets.connectWithByte(to.address(), (int) (number & 0xff));
        // A CM may drop a connection whose data come in the same read as the byte.
        var _ = await(get(paths, tube), "NewLocalConnection", body -> true);
        yield connection;
      }
      case PORT ->
          TelepathySockets.connectFrom(
              (Endpoint.Ip) to.address(), java.util.Objects.requireNonNull(to.source()));
      default -> TelepathySockets.connect(to.address());
    };
  }

  private String run(Accepted to, String tube, int count, int atOnce, int size)
      throws InterruptedException {
    AtomicInteger next = new AtomicInteger();
    AtomicInteger good = new AtomicInteger();
    AtomicReference<String> bad = new AtomicReference<>("");
    CyclicBarrier together = atOnce == count && count > 1 ? new CyclicBarrier(count) : null;
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < atOnce; i++) {
      threads.add(
          Threads.start(
              "run",
              () -> {
                for (int n = next.getAndIncrement(); n < count; n = next.getAndIncrement()) {
                  try (Connection connection = connect(to, tube, n)) {
                    TubeTraffic.ask(connection, n, size, together);
                    good.incrementAndGet();
                  } catch (IOException | InterruptedException e) {
                    bad.compareAndSet("", "number " + n + ": " + e);
                    if (together != null) {
                      together.reset();
                    }
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return good + " of " + count + " " + bad;
  }

  private static String send(Connection to, int count) throws IOException {
    TubeTraffic.writeAll(to, ByteBuffer.allocate(count));
    return String.valueOf(count);
  }

  /** Writes on until a second passes in which nothing is taken. */
  private static String stuff(Connection to) throws InterruptedException {
    AtomicLong taken = new AtomicLong();
    Threads.start(
        "stuff",
        () -> {
          try {
            while (true) {
              TubeTraffic.writeAll(to, ByteBuffer.allocate(4096));
              taken.addAndGet(4096);
            }
          } catch (IOException e) {
            // The connection is closed when the test has seen enough.
          }
        });
    long before;
    do {
      before = taken.get();
      Thread.sleep(1000);
    } while (taken.get() > before && before < MOST);
    return String.valueOf(taken);
  }

  private static String end(Connection connection) {
    long count = 0;
    ByteBuffer buffer = ByteBuffer.allocate(16 << 10);
    try (connection) {
      for (int n = connection.read(buffer); n >= 0; n = connection.read(buffer.clear())) {
        count += n;
      }
      return "eof " + count;
    } catch (IOException e) {
      return "broken " + count;
    }
  }

  private static String served(TubeService service, int count) throws InterruptedException {
    long end = System.nanoTime() + Proc.PATIENCE.toNanos();
    while (service.accepted() < count && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    return service.accepted() + " " + service.bytes();
  }

  /** Each signal's parameter must be what the service saw of that connection, in its order. */
  private String named(String tube, int count) throws InterruptedException, IOException {
    List<Value> said = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Signal signal = await(get(paths, tube), "NewRemoteConnection", body -> true);
      said.add(((Value.Variant) signal.body().get(1)).value());
    }
    List<Value> seen = get(services, tube).seen();
    return said.equals(seen) ? "same" : said + " but " + seen;
  }
}
