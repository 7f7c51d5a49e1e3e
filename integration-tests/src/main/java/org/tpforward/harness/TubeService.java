package org.tpforward.harness;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.tpforward.dbus.Value;
import org.tpforward.relay.Threads;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.socket.TelepathySockets;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;

/** A service behind a tube, good or bad. */
final class TubeService implements Closeable {
  /** What it does with a connection. */
  enum Manner {
    /** {@link TubeTraffic#answer}. */
    ANSWER,
    /** Says {@code hello}, ends its direction, and reads on. */
    ONE_WAY,
    /** Reads one byte and resets. */
    RESET,
    /** Says {@code hello}, and never reads. */
    MUTE,
    /** Is not there any more once it has been offered. */
    ABSENT,
    /** Says {@code hello} and sends 500 000 bytes, which count as read; then it reads on. */
    POUR,
    /** Says {@code hello}, ends its direction, and reads once it is told to. */
    LATE
  }

  private static final int POURED = 500_000;

  private final SocketKind kind;
  private final Manner manner;
  private final Listener listener;
  private final List<Value> seen = new CopyOnWriteArrayList<>();
  private final List<Connection> open = new CopyOnWriteArrayList<>();
  private final AtomicLong accepted = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final CountDownLatch told = new CountDownLatch(1);

  TubeService(SocketKind kind, Manner manner, Endpoint at) throws IOException {
    this.kind = kind;
    this.manner = manner;
    this.listener =
        kind.access() == AccessControl.CREDENTIALS
            ? TelepathySockets.listenForBytes(at)
            : Listener.open(at);
    Threads.start("service", this::acceptAll);
  }

  Endpoint endpoint() {
    return listener.endpoint();
  }

  /** What each connection is known by: its byte or where it came from, where it has either. */
  List<Value> seen() {
    return List.copyOf(seen);
  }

  /** How many connections came. */
  long accepted() {
    return accepted.get();
  }

  /** How many bytes were read, in the manners that count them. */
  long bytes() {
    return bytes.get();
  }

  /** Has {@link Manner#LATE} or {@link Manner#MUTE} go on. */
  void tell() {
    told.countDown();
  }

  private void acceptAll() {
    while (listener.isOpen()) {
      try {
        Connection connection = listener.accept();
        Threads.start("serve", () -> serve(connection));
      } catch (IOException e) {
        if (listener.isOpen()) {
          throw new HarnessException("the service cannot accept", e);
        }
      }
    }
  }

  private void serve(Connection connection) {
    open.add(connection);
    try (connection) {
      if (kind.access() == AccessControl.CREDENTIALS) {
        int value =
            TelepathySockets.acceptWithByte(connection, AllowedUids.own(), Proc.PATIENCE).value();
        seen.add(Value.y(value));
      } else {
        Endpoint.Ip from = connection.remote();
        seen.add(from == null ? Value.u(0) : Addresses.toValue(from));
      }
      accepted.incrementAndGet();
      behave(connection);
    } catch (IOException | InterruptedException e) {
      if (manner == Manner.ANSWER) {
        System.err.println("service: " + e);
      }
    } finally {
      open.remove(connection);
    }
  }

  private void behave(Connection connection) throws IOException, InterruptedException {
    switch (manner) {
      case ANSWER -> TubeTraffic.answer(connection);
      case ONE_WAY -> {
        hello(connection);
        connection.shutdownOutput();
        count(connection);
      }
      case RESET -> {
        ByteBuffer _ = TubeTraffic.readExactly(connection, 1);
        connection.reset();
      }
      case MUTE -> {
        hello(connection);
        told.await();
      }
      case POUR -> {
        hello(connection);
        var _ = TubeTraffic.pour(connection, 0, POURED);
        connection.shutdownOutput();
        bytes.addAndGet(POURED);
        count(connection);
      }
      case LATE -> {
        hello(connection);
        connection.shutdownOutput();
        told.await();
        count(connection);
      }
      case ABSENT -> {}
    }
  }

  private static void hello(Connection connection) throws IOException {
    TubeTraffic.writeAll(connection, ByteBuffer.wrap(new byte[] {'h', 'e', 'l', 'l', 'o'}));
  }

  private void count(Connection connection) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(16 << 10);
    for (int n = connection.read(buffer); n >= 0; n = connection.read(buffer.clear())) {
      bytes.addAndGet(n);
    }
  }

  /** Stops listening; connections go on. */
  void leave() {
    listener.close();
  }

  /** Stops listening, and ends all connections. */
  @Override
  public void close() {
    listener.close();
    told.countDown();
    open.forEach(Connection::close);
  }
}
