package org.tpforward.ssh;

import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.sshd.common.SshConstants;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.socket.Endpoint;

/** A socket that listens on the server for this side, until it is closed or the session ends. */
public final class RemoteListener implements AutoCloseable {
  /** More connections than this are not held unanswered; what comes then is refused. */
  static final int MOST_UNANSWERED = 256;

  private static final Logger LOG = LoggerFactory.getLogger(RemoteListener.class);

  private final RemoteListeners owner;
  private final Endpoint endpoint;
  private final String place;
  private final Consumer<Incoming> consumer;
  private final AtomicInteger unanswered = new AtomicInteger();

  RemoteListener(
      RemoteListeners owner, Endpoint endpoint, String place, Consumer<Incoming> consumer) {
    this.owner = owner;
    this.endpoint = endpoint;
    this.place = place;
    this.consumer = consumer;
  }

  /** Where it listens; with the port that the server chose if port 0 was asked for. */
  public Endpoint endpoint() {
    return endpoint;
  }

  /** On MINA's reading thread. */
  void offer(UnansweredChannel channel, @Nullable InetSocketAddress originator) {
    if (unanswered.incrementAndGet() > MOST_UNANSWERED) {
      unanswered.decrementAndGet();
      channel.refuse(SshConstants.SSH_OPEN_RESOURCE_SHORTAGE, "too many unanswered connections");
      return;
    }
    channel.onAnswer(unanswered::decrementAndGet);
    Incoming incoming = channel.incoming(originator);
    try {
      consumer.accept(incoming);
    } catch (RuntimeException e) {
      LOG.warn("a connection to {} could not be taken", endpoint, e);
      incoming.refuse("internal error");
    }
  }

  /**
   * Tells the server to stop listening; does not wait for it. What is connected stays, and so does
   * what waits for an answer. OpenSSH leaves the file of a Unix socket behind. Idempotent.
   */
  @Override
  public void close() {
    owner.cancel(place, this);
  }
}
