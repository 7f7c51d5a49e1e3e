package org.tpforward.ssh;

import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import jdk.net.ExtendedSocketOptions;
import org.apache.sshd.common.future.CloseFuture;
import org.apache.sshd.common.io.IoHandler;
import org.apache.sshd.common.io.IoService;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.util.Readable;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.common.util.closeable.AbstractCloseable;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.EventLoop;

/**
 * One connection of the {@link SocketTransport}. {@link #readLoop} is run by the connection's own
 * thread until the end; everything else may be called by any thread, and never blocks except {@link
 * #awaitWritable}.
 */
final class TransportSession extends AbstractCloseable implements IoSession, EventLoop {
  private static final int READ_BUFFER = 128 << 10;

  /**
   * How much of it MINA gets at a time: after each packet it moves all that it has of the next ones
   * to the front.
   */
  private static final int SLICE = 16 << 10;

  private static final AtomicLong IDS = new AtomicLong();

  private final long id = IDS.incrementAndGet();
  private final TransportService service;
  private final IoHandler handler;
  private final SocketChannel channel;
  private final SocketAddress local;
  private final SocketAddress remote;
  private final @Nullable SocketAddress acceptance;
  private final Map<Object, Object> attributes = new ConcurrentHashMap<>();
  private final OutboundQueue outbound;
  private final Selector readable;
  private final boolean quickAck;
  private final AtomicBoolean outputShut = new AtomicBoolean();
  private final Object suspension = new Object();
  private boolean suspended;
  private volatile @Nullable IOException writeFailure;
  private volatile @Nullable Thread reader;

  /** Takes over the channel: it is closed with the session, or at once if this fails. */
  TransportSession(
      TransportService service,
      IoHandler handler,
      SocketChannel channel,
      @Nullable SocketAddress acceptance)
      throws IOException {
    this.service = service;
    this.handler = handler;
    this.channel = channel;
    this.acceptance = acceptance;
    try {
      local = channel.getLocalAddress();
      remote = channel.getRemoteAddress();
      channel.configureBlocking(false);
      setIfSupported(StandardSocketOptions.TCP_NODELAY);
      setIfSupported(StandardSocketOptions.SO_KEEPALIVE);
      quickAck = channel.supportedOptions().contains(ExtendedSocketOptions.TCP_QUICKACK);
      outbound = new OutboundQueue(channel, remote.toString(), this::writeFailed);
      readable = Selector.open();
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void setIfSupported(SocketOption<Boolean> option) throws IOException {
    if (channel.supportedOptions().contains(option)) {
      channel.setOption(option, true);
    }
  }

  /** Reads and dispatches until the connection ends. */
  void readLoop() {
    try {
      reader = Thread.currentThread();
      channel.register(readable, SelectionKey.OP_READ);
      ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BUFFER);
      Readable bytes = Readable.readable(buffer);
      List<SelectionKey> ready = new ArrayList<>();
      boolean more = false;
      while (isOpen()) {
        if (more) {
          readable.selectNow(ready::add);
        } else {
          readable.select(ready::add);
        }
        awaitResumed();
        IOException broken = writeFailure;
        if (broken != null) {
          throw broken;
        }
        outbound.gather();
        boolean arrived = more;
        for (SelectionKey key : ready) {
          arrived |= key.attachment() == null;
          tell(key);
        }
        ready.clear();
        if (!arrived) {
          outbound.flushGathered();
          continue;
        }
        buffer.clear();
        int count = channel.read(buffer);
        if (count < 0) {
          break;
        }
        // A full buffer says that more is there; anything less has emptied the socket.
        more = !buffer.hasRemaining();
        if (more) {
          outbound.flushGathered(); // Much takes its time.
        }
        if (count > 0) {
          int before = outbound.writes();
          for (int end = Math.min(count, SLICE), at = 0; at < count; ) {
            buffer.position(at).limit(end);
            handler.messageReceived(this, bytes);
            at = end;
            end = Math.min(count, end + SLICE);
          }
          outbound.flushGathered();
          if (quickAck && outbound.writes() == before) {
            // An answer would have said it too; without one a peer with Nagle's algorithm waits.
            channel.setOption(ExtendedSocketOptions.TCP_QUICKACK, true);
          }
        } else {
          outbound.flushGathered();
        }
      }
    } catch (ClosedChannelException | ClosedSelectorException e) {
      // Closed by this side.
    } catch (Exception | LinkageError e) {
      report(e);
    } finally {
      close(true);
    }
  }

  /** If it is another socket than this connection's. */
  private void tell(SelectionKey key) {
    if (key.attachment() instanceof Runnable listener && key.isValid()) {
      try {
        listener.run();
      } catch (RuntimeException | LinkageError e) {
        log.error("what reads a local socket failed", e);
        key.cancel();
      }
    }
  }

  @Override
  public SelectionKey register(SocketChannel other, Runnable listener) throws IOException {
    try {
      SelectionKey key = other.register(readable, SelectionKey.OP_READ, listener);
      forget();
      return key;
    } catch (ClosedSelectorException e) {
      throw new IOException("the SSH connection was lost", e);
    }
  }

  @Override
  public void forget() {
    if (Thread.currentThread() != reader) { // which is about to look
      readable.wakeup();
    }
  }

  private void report(Throwable problem) {
    if (isOpen()) {
      try {
        handler.exceptionCaught(this, problem);
      } catch (Exception e) {
        log.debug("the handler of {} failed", this, e);
      }
    }
  }

  private void awaitResumed() throws InterruptedException {
    synchronized (suspension) {
      while (suspended && isOpen()) {
        suspension.wait();
      }
    }
  }

  /** The reading thread ends the session: a writer may hold locks of MINA's. */
  private void writeFailed(IOException problem) {
    if (writeFailure == null) {
      writeFailure = problem;
    }
    readable.wakeup();
    resumeRead();
  }

  @Override
  public IoWriteFuture writeBuffer(Buffer buffer) {
    return outbound.write(
        ByteBuffer.wrap(buffer.array(), buffer.rpos(), buffer.available()), remote);
  }

  /**
   * Waits while too many bytes are queued for the socket. See {@link OutboundQueue#awaitWritable}.
   */
  void awaitWritable() throws IOException {
    outbound.awaitWritable();
  }

  /** Whether {@link #awaitWritable} would return at once. */
  boolean isWritable() {
    return outbound.isWritable();
  }

  @Override
  public void shutdownOutputStream() {
    if (outputShut.compareAndSet(false, true)) {
      outbound.flushGathered();
      OutboundQueue.WriteFuture last = outbound.last();
      if (last == null) {
        shutdownOutput();
      } else {
        last.addListener(done -> shutdownOutput());
      }
    }
  }

  private void shutdownOutput() {
    try {
      channel.shutdownOutput();
    } catch (IOException e) {
      log.debug("shutting down the output of {} failed", this, e);
    }
  }

  @Override
  protected CloseFuture doCloseGracefully() {
    outbound.flushGathered();
    return builder().when(outbound.last()).run(id, this::shutdownOutput).build().close(false);
  }

  @Override
  protected void doCloseImmediately() {
    outbound.close();
    try {
      channel.close();
      // Only now is the descriptor of a registered channel really closed.
      readable.close();
    } catch (IOException e) {
      log.debug("closing {} failed", this, e);
    }
    resumeRead();
    service.unregister(this);
    super.doCloseImmediately();
    try {
      handler.sessionClosed(this);
    } catch (Exception e) {
      log.debug("the handler of {} failed at its end", this, e);
    }
    attributes.clear();
  }

  @Override
  public void suspendRead() {
    synchronized (suspension) {
      suspended = true;
    }
  }

  @Override
  public void resumeRead() {
    synchronized (suspension) {
      suspended = false;
      suspension.notifyAll();
    }
  }

  @Override
  public boolean isOpen() {
    return !isClosed() && channel.isOpen();
  }

  @Override
  public long getId() {
    return id;
  }

  @Override
  public @Nullable Object getAttribute(Object key) {
    return attributes.get(key);
  }

  @Override
  public @Nullable Object setAttribute(Object key, Object value) {
    return attributes.put(key, value);
  }

  @Override
  public @Nullable Object setAttributeIfAbsent(Object key, Object value) {
    return attributes.putIfAbsent(key, value);
  }

  @Override
  public @Nullable Object removeAttribute(Object key) {
    return attributes.remove(key);
  }

  @Override
  public SocketAddress getRemoteAddress() {
    return remote;
  }

  @Override
  public SocketAddress getLocalAddress() {
    return local;
  }

  @Override
  public @Nullable SocketAddress getAcceptanceAddress() {
    return acceptance;
  }

  @Override
  public IoService getService() {
    return service;
  }

  @Override
  public String toString() {
    return "ssh connection " + local + " -> " + remote;
  }
}
