package org.tpforward.ssh;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.sshd.common.io.AbstractIoWriteFuture;
import org.jspecify.annotations.Nullable;
import org.tpforward.socket.NowaitSocket;

/**
 * Writes packets to a non-blocking socket without ever making the caller wait: directly as long as
 * the socket takes everything, by a thread of its own what it does not.
 */
final class OutboundQueue {
  /** Above this many queued bytes {@link #awaitWritable} blocks. */
  static final int HIGH_WATER = 1 << 20;

  private static final int LOW_WATER = HIGH_WATER / 2;
  private static final int GATHER = 16;

  /** Bytes that are kept together at most. */
  private static final int TOGETHER = 16 << 10;

  /** Bytes. */
  private static final int LONG = 4 << 10;

  private final SocketChannel channel;
  private final String name;
  private final Consumer<IOException> onFailure;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final Condition drained = lock.newCondition();
  private final Deque<Write> queue = new ArrayDeque<>();
  private long queued;

  /** How often something was written; each time the peer learnt what had arrived until then. */
  private volatile int writes;

  /** Whether {@link #awaitWritable} has anything to do, to be asked without the lock. */
  private volatile boolean attention;

  /** What {@link #gathering} has written, and the socket has not been given yet. */
  private final ByteBuffer gathered = ByteBuffer.allocateDirect(TOGETHER);

  /** Whose small writes are kept together. */
  private @Nullable Thread gathering;

  private @Nullable NowaitSocket nowait;
  private @Nullable IOException failure;
  private @Nullable Thread writer;
  private @Nullable Selector selector;

  /**
   * @param channel in non-blocking mode; closed by the owner
   * @param onFailure told, on any thread and with no lock held, that the socket broke; may be
   *     called more than once
   */
  OutboundQueue(SocketChannel channel, String name, Consumer<IOException> onFailure) {
    this.channel = channel;
    this.name = name;
    this.onFailure = onFailure;
  }

  /**
   * Writes, or queues behind what is queued already. The array beneath {@code bytes} belongs to the
   * queue until the future is done.
   */
  WriteFuture write(ByteBuffer bytes, Object id) {
    WriteFuture future = new WriteFuture(id);
    IOException broken;
    lock.lock();
    try {
      broken = failure;
      if (broken == null) {
        broken = writeOrQueue(bytes, future);
      }
    } finally {
      lock.unlock();
    }
    if (broken != null) {
      future.setValue(broken);
      onFailure.accept(broken);
    } else if (!bytes.hasRemaining()) {
      future.setValue(true);
    }
    return future;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
  private @Nullable IOException writeOrQueue(ByteBuffer bytes, WriteFuture future) {
    writes++;
    if (gathering == Thread.currentThread()
        && queue.isEmpty()
        && bytes.remaining() <= gathered.remaining()) {
      gathered.put(bytes);
      return null;
    }
    if (queue.isEmpty()) {
      try {
        if (gathered.position() == 0) {
          writeNow(bytes);
          if (bytes.hasRemaining()) {
            channel.write(bytes);
          }
        } else {
          channel.write(new ByteBuffer[] {gathered.flip(), bytes});
          queueGathered();
        }
      } catch (IOException e) {
        failure = e;
        account(0);
        return e;
      }
    }
    if (bytes.hasRemaining()) {
      enqueue(bytes, future);
    }
    return null;
  }

  private void enqueue(ByteBuffer bytes, WriteFuture future) {
    queue.add(new Write(bytes, future));
    account(bytes.remaining());
    if (writer == null) {
      writer = Thread.ofPlatform().daemon().name("ssh-write " + name).start(this::flushLoop);
    }
    filled.signal();
  }

  /** Queues what the socket has not taken of them. */
  private void queueGathered() {
    if (gathered.hasRemaining()) {
      byte[] rest = new byte[gathered.remaining()];
      gathered.get(rest);
      enqueue(ByteBuffer.wrap(rest), new WriteFuture(name));
    }
    gathered.clear();
  }

  /**
   * Small writes of the calling thread are kept together until {@link #flushGathered}, or until
   * another thread writes. One packet for each write costs more than what is in it.
   */
  void gather() {
    lock.lock();
    try {
      gathering = Thread.currentThread();
    } finally {
      lock.unlock();
    }
  }

  /** Ends {@link #gather}. */
  void flushGathered() {
    IOException broken = null;
    lock.lock();
    try {
      gathering = null;
      if (gathered.position() > 0 && failure == null) {
        channel.write(gathered.flip());
        queueGathered();
      }
    } catch (IOException e) {
      failure = e;
      account(0);
      broken = e;
    } finally {
      lock.unlock();
    }
    if (broken != null) {
      onFailure.accept(broken);
    }
  }

  /** Spares long packets the copy that a channel makes of an array; the lock keeps it open. */
  private void writeNow(ByteBuffer bytes) {
    if (bytes.remaining() < LONG) {
      return;
    }
    if (nowait == null) {
      nowait = NowaitSocket.of(channel);
    }
    if (nowait != null) {
      int at = bytes.arrayOffset() + bytes.position();
      bytes.position(bytes.position() + nowait.send(bytes.array(), at, bytes.remaining()));
    }
  }

  /**
   * Waits until less than {@link #HIGH_WATER} bytes are queued. For threads that produce data, with
   * no lock held; never for the reading thread.
   *
   * @throws IOException if the connection is gone
   */
  void awaitWritable() throws IOException {
    if (!attention) {
      return;
    }
    lock.lock();
    try {
      while (queued > HIGH_WATER && failure == null) {
        drained.await();
      }
      if (failure != null) {
        throw new IOException("the SSH connection is gone", failure);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the SSH connection was not writable");
    } finally {
      lock.unlock();
    }
  }

  /** Another number than before if something has been written since. */
  int writes() {
    return writes;
  }

  /** Whether {@link #awaitWritable} would return at once. */
  boolean isWritable() {
    return !attention;
  }

  private void account(long change) {
    queued += change;
    attention = queued > HIGH_WATER || failure != null;
  }

  /** The future of what was queued last, or null if nothing is queued. */
  @Nullable WriteFuture last() {
    lock.lock();
    try {
      Write last = queue.peekLast();
      return last == null ? null : last.future();
    } finally {
      lock.unlock();
    }
  }

  /** Fails what is queued and ends the writing thread. Idempotent. */
  void close() {
    flushGathered(); // Perhaps a last message: why this side ends.
    List<WriteFuture> abandoned = new ArrayList<>();
    IOException why;
    lock.lock();
    try {
      why = failure != null ? failure : new ClosedChannelException();
      failure = why;
      for (Write write : queue) {
        abandoned.add(write.future());
      }
      queue.clear();
      account(-queued);
      filled.signal();
      drained.signalAll();
      if (selector != null) {
        selector.wakeup();
      }
    } finally {
      lock.unlock();
    }
    for (WriteFuture future : abandoned) {
      future.setValue(why);
    }
  }

  private void flushLoop() {
    try (Selector mine = Selector.open()) {
      channel.register(mine, SelectionKey.OP_WRITE);
      while (awaitWork(mine)) {
        mine.select();
        mine.selectedKeys().clear();
        for (WriteFuture written : flush()) {
          written.setValue(true);
        }
      }
    } catch (IOException e) {
      broken(e);
    }
  }

  /** Waits until something is queued; false at the end. */
  private boolean awaitWork(Selector mine) {
    lock.lock();
    try {
      selector = mine;
      while (queue.isEmpty() && failure == null) {
        filled.awaitUninterruptibly();
      }
      return failure == null;
    } finally {
      lock.unlock();
    }
  }

  private List<WriteFuture> flush() throws IOException {
    List<WriteFuture> done = new ArrayList<>();
    lock.lock();
    try {
      if (failure != null || queue.isEmpty()) {
        return done;
      }
      ByteBuffer[] head = queue.stream().limit(GATHER).map(Write::bytes).toArray(ByteBuffer[]::new);
      account(-channel.write(head));
      Write first = queue.peek();
      while (first != null && !first.bytes().hasRemaining()) {
        done.add(first.future());
        queue.remove();
        first = queue.peek();
      }
      if (queued <= LOW_WATER) {
        drained.signalAll();
      }
    } finally {
      lock.unlock();
    }
    return done;
  }

  private void broken(IOException e) {
    lock.lock();
    try {
      if (failure == null) {
        failure = e;
      }
      account(0);
      drained.signalAll();
    } finally {
      lock.unlock();
    }
    onFailure.accept(e);
  }

  private record Write(ByteBuffer bytes, WriteFuture future) {}

  /** Done when its bytes have been handed to the socket. */
  static final class WriteFuture extends AbstractIoWriteFuture {
    WriteFuture(Object id) {
      super(id, null);
    }
  }
}
