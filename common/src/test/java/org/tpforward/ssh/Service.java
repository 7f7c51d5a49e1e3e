package org.tpforward.ssh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.tpforward.socket.Endpoint;

/** A listening Unix socket at the far end of a channel; the test plays the service. */
final class Service implements AutoCloseable {
  private final Path path;
  private final ServerSocketChannel server;

  Service(Path directory, String name) throws IOException {
    path = directory.resolve(name);
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(path), 200);
  }

  Endpoint endpoint() {
    return new Endpoint.UnixPath(path.toString());
  }

  SocketChannel accept() {
    try {
      return server.accept();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
