package org.tpforward.bench.micro;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tpforward.relay.Relay;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;

/** Two Unix sockets pumped into each other: a byte there and back, and a mebibyte one way. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class Relaying {
  private static final int MIB = 1 << 20;

  private final ByteBuffer out = ByteBuffer.allocateDirect(MIB);
  private final ByteBuffer in = ByteBuffer.allocateDirect(MIB);
  private @Nullable Path directory;
  private @Nullable Connection near;
  private @Nullable Connection far;

  /** One end and the other of a connection. */
  private record Pair(Connection connected, Connection accepted) {
    static Pair at(Path path) throws IOException {
      Endpoint endpoint = new Endpoint.UnixPath(path.toString());
      try (Listener listener = Listener.open(endpoint)) {
        Connection connected = Connection.connect(endpoint);
        return new Pair(connected, listener.accept());
      }
    }
  }

  /** Starts the relay. */
  @Setup
  public void start() throws IOException {
    Path made = Files.createTempDirectory("tpforward-bench-");
    Pair first = Pair.at(made.resolve("first"));
    Pair second = Pair.at(made.resolve("second"));
    Relay.start("bench", first.accepted(), second.connected(), () -> {});
    directory = made;
    near = first.connected();
    far = second.accepted();
  }

  /** Ends it. */
  @TearDown
  public void stop() throws IOException {
    near().close();
    far().close();
    if (directory != null) {
      Files.delete(directory);
    }
  }

  /** A byte there and back. */
  @Benchmark
  public void pingPong() throws IOException {
    pass(near(), far(), 1);
    pass(far(), near(), 1);
  }

  /** A mebibyte, in pieces that sockets hold. */
  @Benchmark
  public void mebibyte() throws IOException {
    int piece = 64 << 10;
    for (int i = 0; i < MIB; i += piece) {
      pass(near(), far(), piece);
    }
  }

  private void pass(Connection from, Connection to, int count) throws IOException {
    from.write(out.clear().limit(count));
    in.clear().limit(count);
    while (in.hasRemaining()) {
      if (to.read(in) < 0) {
        throw new IOException("the relay broke off");
      }
    }
  }

  private Connection near() {
    return open(near);
  }

  private Connection far() {
    return open(far);
  }

  private static Connection open(@Nullable Connection connection) {
    if (connection == null) {
      throw new IllegalStateException("not started");
    }
    return connection;
  }
}
