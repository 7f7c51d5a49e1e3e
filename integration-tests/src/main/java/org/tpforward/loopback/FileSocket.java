package org.tpforward.loopback;

import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.tpforward.telepathy.SocketKind;

/** The socket of one end of a file transfer: one connection, then it is gone. Thread-safe. */
final class FileSocket implements AutoCloseable {
  private final CompletableFuture<SocketChannel> connection = new CompletableFuture<>();
  private final CmListener listener;

  /**
   * Listens.
   *
   * @param channel the path of the channel whose client is waited for
   * @param door hears who was let in and who was not
   */
  FileSocket(
      SocketKind kind, Object parameter, SocketDirectory directory, String channel, Door door)
      throws Fault {
    this.listener =
        CmListener.listen(
            kind,
            parameter,
            directory,
            new CmListener.Guests() {
              @Override
              public void admit(CmListener.Guest guest) {
                if (connection.complete(guest.channel())) {
                  stopListening();
                  door.admitted(channel);
                } else {
                  CmListener.closeQuietly(guest.channel());
                  door.refused(channel, "there has been a connection");
                }
              }

              @Override
              public void refused(String why) {
                door.refused(channel, why);
              }
            });
  }

  Variant<?> address() {
    return listener.address();
  }

  /** Waits for the client. Null if it will not come any more. */
  @Nullable SocketChannel await() throws InterruptedException {
    try {
      return connection.get();
    } catch (ExecutionException e) {
      return null;
    }
  }

  /** Lets nobody in any more. */
  void stopListening() {
    listener.close();
    connection.completeExceptionally(new IllegalStateException("closed"));
  }

  /** Ends the connection too. */
  @Override
  public void close() {
    stopListening();
    if (!connection.isCompletedExceptionally()) {
      CmListener.closeQuietly(connection.join());
    }
  }
}
