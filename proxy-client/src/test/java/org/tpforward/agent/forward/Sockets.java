package org.tpforward.agent.forward;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AddressType;

/** What tests do with sockets. */
public final class Sockets {
  /** How long a test waits for what must come; never how long it takes. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  private static final AtomicInteger COUNT = new AtomicInteger();

  private Sockets() {}

  /** A free place of that type; port 0 for IP. */
  public static Endpoint place(Path directory, AddressType type) {
    String name = "s" + COUNT.incrementAndGet();
    return switch (type) {
      case UNIX -> new Endpoint.UnixPath(directory.resolve(name).toString());
      case ABSTRACT_UNIX ->
          new Endpoint.UnixAbstract("tpforward-test-" + ProcessHandle.current().pid() + name);
      case IPV4, IPV6 -> anyPort(type);
    };
  }

  /** Any port of loopback. */
  public static Endpoint.Ip anyPort(AddressType type) {
    return new Endpoint.Ip(
        InetAddresses.forString(type == AddressType.IPV6 ? "::1" : "127.0.0.1"), 0);
  }

  /** Where a channel of the JDK listens. */
  public static Endpoint endpoint(ServerSocketChannel listening) throws IOException {
    return switch (listening.getLocalAddress()) {
      case UnixDomainSocketAddress unix -> new Endpoint.UnixPath(unix.getPath().toString());
      case InetSocketAddress ip -> new Endpoint.Ip(ip.getAddress(), ip.getPort());
      default -> throw new IOException("no such address");
    };
  }

  /** Writes all of a text. */
  public static void write(Duplex to, String text) throws IOException {
    to.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Reads exactly that many bytes. */
  public static String read(Duplex from, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (from.read(bytes) < 0) {
        throw new IOException("it ended after " + bytes.position() + " of " + length + " bytes");
      }
    }
    return new String(bytes.array(), StandardCharsets.UTF_8);
  }

  /** Counts the bytes until the end; what is no end in order is an exception. */
  public static long countToEnd(Duplex from) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(64 << 10);
    long count = 0;
    for (int n = from.read(bytes); n >= 0; n = from.read(bytes.clear())) {
      count += n;
    }
    return count;
  }

  /** Whether nobody listens there. */
  public static boolean isRefused(Endpoint where) {
    try {
      Connection.connect(where).close();
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /** Waits until the peer ends the stream, be it in order or by a reset. */
  public static void awaitEnd(Duplex from) {
    try {
      countToEnd(from);
    } catch (IOException e) {
      // A reset.
    }
  }

  /** Runs something that blocks on a platform thread of its own. */
  public static <T> CompletableFuture<T> start(Callable<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            result.complete(task.call());
          } catch (Throwable e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  /** Waits until something is so that nobody reports. */
  public static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("it did not become so within " + PATIENCE);
      }
      Thread.sleep(2);
    }
  }
}
