package org.tpforward.dbus;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small client of a message bus, for this program's own calls: blocking calls, signals to
 * handlers, no exported objects. It does not believe the bus: sizes and numbers are bounded, what
 * is malformed ends the connection.
 *
 * <p>Two daemon threads serve it. The reading one also runs the handlers, in the order of the
 * messages; they must not block, and may not {@link #call}. The writing one exists so that a bus
 * that does not read stalls neither a caller beyond its timeout nor the reading.
 */
public final class BusConnection implements Closeable {
  /** Bytes of a body; a longer one is skipped, and fails the call that it answers. */
  public static final int MAX_BODY = 4 << 20;

  /** Calls that wait for their replies; further ones wait before they are sent. */
  public static final int MAX_CALLS = 64;

  /** How long the bus itself may take for what the methods here ask of it; as in libdbus. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(25);

  /**
   * What is taken into memory of what comes; the rest is skipped.
   *
   * @param reply bytes of a reply's body; a longer one fails its call
   * @param signal which signals are decoded
   */
  public record Inbound(int reply, Predicate<Header> signal) {
    /** Everything up to {@link #MAX_BODY}. */
    public static final Inbound ALL = new Inbound(MAX_BODY, header -> true);

    public Inbound {
      if (reply < 0 || reply > MAX_BODY) {
        throw new IllegalArgumentException(reply + " bytes");
      }
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(BusConnection.class);
  private static final String BUS = "org.freedesktop.DBus";
  private static final String BUS_PATH = "/org/freedesktop/DBus";
  private static final String ERROR = "org.freedesktop.DBus.Error.";

  /** The calls waiting, and as many answers to calls from outside. */
  private static final int MAX_QUEUE = 2 * MAX_CALLS;

  @SuppressWarnings("ArrayRecordComponent") // only handed from thread to thread
  private record Frame(Header header, byte[] body) {}

  private final ByteChannel channel;
  private final Inbound inbound;
  private final MessageReader reader;
  private final BlockingQueue<Frame> queue = new ArrayBlockingQueue<>(MAX_QUEUE);
  private final PendingCalls calls = new PendingCalls(MAX_CALLS);
  private final AtomicInteger serials = new AtomicInteger();
  private final List<Consumer<Signal>> signalHandlers = new CopyOnWriteArrayList<>();
  private final Thread readerThread;
  private final Thread writerThread;

  private final Object lock = new Object();
  private final List<Runnable> closeHandlers = new ArrayList<>(); // guarded by the lock
  private volatile @Nullable IOException end; // set once, under the lock
  private volatile String uniqueName = "";

  private BusConnection(ByteChannel channel, ByteBuffer leftOver, Inbound inbound) {
    this.channel = channel;
    this.inbound = inbound;
    this.reader = new MessageReader(channel, leftOver);
    this.readerThread = Thread.ofPlatform().daemon().name("bus-reader").unstarted(this::read);
    this.writerThread = Thread.ofPlatform().daemon().name("bus-writer").unstarted(this::write);
  }

  /**
   * Authenticates as EXTERNAL and says Hello. On failure the channel is closed.
   *
   * @param channel blocking, to a message bus; belongs to the connection from here on
   * @param timeout for all of it
   */
  public static BusConnection open(ByteChannel channel, Duration timeout) throws IOException {
    return open(channel, timeout, Inbound.ALL);
  }

  /**
   * As {@link #open(ByteChannel, Duration)}, for a bus that is believed less.
   *
   * @param inbound what is taken into memory
   */
  public static BusConnection open(ByteChannel channel, Duration timeout, Inbound inbound)
      throws IOException {
    SaslClient.Result in;
    try {
      in = SaslClient.external(channel, timeout);
    } catch (IOException e) {
      closeQuietly(channel);
      throw e;
    }
    return open(channel, in.leftOver(), timeout, inbound);
  }

  /**
   * Says Hello on a channel whose SASL is done. On failure the channel is closed.
   *
   * @param channel blocking, to a message bus; belongs to the connection from here on
   * @param leftOver bytes read from it already
   * @param timeout for the Hello
   */
  public static BusConnection open(ByteChannel channel, ByteBuffer leftOver, Duration timeout)
      throws IOException {
    return open(channel, leftOver, timeout, Inbound.ALL);
  }

  private static BusConnection open(
      ByteChannel channel, ByteBuffer leftOver, Duration timeout, Inbound inbound)
      throws IOException {
    BusConnection connection = new BusConnection(channel, leftOver, inbound);
    connection.readerThread.start();
    connection.writerThread.start();
    try {
      List<Value> reply = connection.callBus("Hello", timeout);
      if (reply.size() != 1
          || !(reply.getFirst() instanceof Value.Str(String name))
          || !Names.isUniqueName(name)) {
        throw new ProtocolException("the reply to Hello is no unique name");
      }
      connection.uniqueName = name;
      return connection;
    } catch (IOException e) {
      connection.close();
      throw e;
    } catch (DBusErrorException e) {
      connection.close();
      throw new IOException("the bus refused Hello: " + e.getMessage(), e);
    }
  }

  /** The name that the bus gave us, such as {@code :1.42}. */
  public String uniqueName() {
    return uniqueName;
  }

  /**
   * Calls a method and waits for the reply. For any number of threads, but not for handlers.
   *
   * @param destination null only where there is no bus between
   * @param interfaceName null if the method's name is clear without
   * @param timeout for all of it
   * @return the reply's arguments
   * @throws DBusErrorException if the reply is an error, or is over {@link #MAX_BODY} (then
   *     LimitsExceeded)
   * @throws java.net.SocketTimeoutException if no reply came in time; a late one is dropped
   * @throws IOException if the connection is lost
   */
  public List<Value> call(
      @Nullable String destination,
      String path,
      @Nullable String interfaceName,
      String member,
      Duration timeout,
      Value... args)
      throws IOException, DBusErrorException {
    if (Thread.currentThread() == readerThread) {
      throw new IllegalStateException("a handler must not wait for a reply");
    }
    List<Value> values = List.of(args);
    long serial = serial();
    Header.Builder header =
        Header.builder(MessageType.METHOD_CALL)
            .serial(serial)
            .destination(destination)
            .path(path)
            .interfaceName(interfaceName)
            .member(member);
    Frame frame = frame(header, values);
    try {
      return calls.exchange(
          serial, interfaceName + "." + member, timeout, wait -> send(frame, wait));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(member, e);
    }
  }

  /** Looks first whether the connection is open: whoever ends it fails all calls it knows then. */
  private boolean send(Frame frame, long nanos) throws IOException, InterruptedException {
    IOException reason = end;
    if (reason != null) {
      throw new IOException(reason.getMessage(), reason);
    }
    return queue.offer(frame, nanos, TimeUnit.NANOSECONDS);
  }

  private List<Value> callBus(String member, Duration timeout, Value... args)
      throws IOException, DBusErrorException {
    return call(BUS, BUS_PATH, BUS, member, timeout, args);
  }

  /** Asks the bus for the messages that match {@code rule}. */
  public void addMatch(String rule) throws IOException, DBusErrorException {
    callBus("AddMatch", DEFAULT_TIMEOUT, Value.of(rule));
  }

  /** Takes one {@link #addMatch} back. */
  public void removeMatch(String rule) throws IOException, DBusErrorException {
    callBus("RemoveMatch", DEFAULT_TIMEOUT, Value.of(rule));
  }

  /**
   * Adds a handler for signals that come from now on, whatever they are.
   *
   * @param handler runs on the reading thread, must not block; what it throws is logged
   */
  public void onSignal(Consumer<Signal> handler) {
    signalHandlers.add(handler);
  }

  /**
   * Adds a handler for the end of the connection, by either side. It runs once: in the thread that
   * ends it, or here and now if it has ended.
   */
  public void onClosed(Runnable handler) {
    synchronized (lock) {
      if (end == null) {
        closeHandlers.add(handler);
        return;
      }
    }
    handler.run();
  }

  /** Whether the connection has not ended. */
  public boolean isOpen() {
    return end == null;
  }

  /** Closes the channel; calls that wait fail. Idempotent. */
  @Override
  public void close() {
    end(new IOException("the bus connection was closed"));
  }

  private void end(IOException reason) {
    List<Runnable> handlers;
    synchronized (lock) {
      if (end != null) {
        return;
      }
      end = reason;
      handlers = List.copyOf(closeHandlers);
      closeHandlers.clear();
    }
    closeQuietly(channel);
    writerThread.interrupt();
    calls.failAll(reason);
    for (Runnable handler : handlers) {
      try {
        handler.run();
      } catch (RuntimeException e) {
        LOG.error("A handler for the end of the bus connection failed", e);
      }
    }
  }

  private void read() {
    try {
      while (true) {
        Header header = reader.next();
        if (header == null) {
          end(new IOException("the bus closed the connection"));
          return;
        }
        receive(header);
      }
    } catch (ProtocolException e) {
      if (isOpen()) {
        LOG.warn("The bus sent a malformed message, so its connection ends: {}", e.getMessage());
      }
      end(e);
    } catch (IOException e) {
      end(new IOException("the bus connection is lost: " + e.getMessage(), e));
    } finally {
      end(new IOException("the bus connection's reader failed")); // for what is not foreseen
    }
  }

  private void receive(Header header) throws IOException {
    switch (header.type()) {
      case METHOD_RETURN, ERROR -> reply(header);
      case SIGNAL -> {
        if (header.bodyLength() > MAX_BODY) {
          LOG.warn("A signal over {} bytes was skipped: {}", MAX_BODY, header);
          reader.skipBody();
        } else if (inbound.signal().test(header)) {
          signal(new Signal(header, decode(header)));
        } else {
          reader.skipBody();
        }
      }
      case METHOD_CALL -> {
        reader.skipBody();
        answer(header);
      }
      case UNKNOWN -> reader.skipBody();
    }
  }

  private void reply(Header header) throws IOException {
    if (!calls.expects(header)) {
      reader.skipBody();
    } else if (header.bodyLength() > inbound.reply()) {
      LOG.warn("A reply over {} bytes was skipped: {}", inbound.reply(), header);
      reader.skipBody();
      calls.fail(
          header,
          new DBusErrorException(
              ERROR + "LimitsExceeded", "a reply of " + header.bodyLength() + " bytes"));
    } else {
      calls.complete(header, decode(header));
    }
  }

  private List<Value> decode(Header header) throws IOException {
    return Body.decode(header.signature(), header.order(), reader.readBody(MAX_BODY));
  }

  private void signal(Signal signal) {
    for (Consumer<Signal> handler : signalHandlers) {
      try {
        handler.accept(signal);
      } catch (RuntimeException e) {
        LOG.error("A handler failed for {}", signal.header(), e);
      }
    }
  }

  /**
   * A call to us, who export nothing but org.freedesktop.DBus.Peer. GetMachineId is refused: the
   * bus is another machine's, and machine-id(5) asks not to show it to the network.
   */
  private void answer(Header call) {
    if (call.noReplyExpected()) {
      return;
    }
    boolean peer = call.interfaceName() == null || BUS.concat(".Peer").equals(call.interfaceName());
    Header.Builder header;
    List<Value> body = List.of();
    if (peer && "Ping".equals(call.member())) {
      header = Header.returnTo(call);
    } else if (peer && "GetMachineId".equals(call.member())) {
      header = Header.errorTo(call, ERROR + "NotSupported");
      body = List.of(Value.of("This client keeps its machine's id to itself"));
    } else {
      header = Header.errorTo(call, ERROR + "UnknownMethod");
      body = List.of(Value.of("This client exports no objects"));
    }
    if (!queue.offer(frame(header.serial(serial()), body))) {
      LOG.warn("The bus does not read, so a call is left without an answer: {}", call);
    }
  }

  private static Frame frame(Header.Builder header, List<Value> values) {
    ByteOrder order = ByteOrder.nativeOrder();
    byte[] body = Body.encode(order, values);
    return new Frame(
        header.order(order).signature(Body.signature(values)).build(body.length), body);
  }

  private void write() {
    MessageWriter writer = new MessageWriter(channel);
    try {
      while (isOpen()) {
        Frame frame = queue.take();
        writer.write(frame.header, frame.body);
        if (queue.isEmpty()) {
          writer.flush();
        }
      }
    } catch (InterruptedException e) {
      // Only end() interrupts.
    } catch (IOException e) {
      end(new IOException("the bus connection is lost: " + e.getMessage(), e));
    }
  }

  /** Serials are 32 bits, never 0, and start again after four thousand million. */
  private long serial() {
    int serial = serials.incrementAndGet();
    return serial != 0 ? serial & 0xffff_ffffL : serial();
  }

  private static InterruptedIOException interrupted(String member, InterruptedException cause) {
    InterruptedIOException e = new InterruptedIOException("interrupted in a call of " + member);
    e.initCause(cause);
    return e;
  }

  private static void closeQuietly(ByteChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("Closing the bus connection failed", e);
    }
  }
}
