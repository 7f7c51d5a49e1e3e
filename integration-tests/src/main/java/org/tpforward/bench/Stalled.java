package org.tpforward.bench;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.tpforward.harness.HarnessException;

/** Connections on which bytes come, of which nobody reads more than the first. */
final class Stalled implements AutoCloseable {
  private final List<SocketChannel> connections = new ArrayList<>();

  private Stalled() {}

  /** Connects to each of them, and waits for its first byte. */
  static Stalled at(List<String> sockets) {
    Stalled stalled = new Stalled();
    try {
      for (String socket : sockets) {
        stalled.connections.add(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
      }
      for (SocketChannel connection : stalled.connections) {
        if (connection.read(ByteBuffer.allocate(1)) < 1) {
          throw new HarnessException("a stream ended at once");
        }
      }
      return stalled;
    } catch (IOException e) {
      stalled.close();
      throw new HarnessException("connecting", e);
    } catch (HarnessException e) {
      stalled.close();
      throw e;
    }
  }

  @Override
  public void close() {
    for (SocketChannel connection : connections) {
      try {
        connection.close();
      } catch (IOException e) {
        throw new HarnessException("closing", e);
      }
    }
  }
}
