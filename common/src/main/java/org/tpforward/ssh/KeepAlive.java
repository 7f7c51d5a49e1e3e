package org.tpforward.ssh;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out that the other side no longer answers, be it because the network is gone or because its
 * process is stopped: sends the global request keepalive@openssh.com and wants a reply, any reply.
 * Sending may block, so it is done beside the thread that counts.
 */
public final class KeepAlive {
  private static final Logger log = LoggerFactory.getLogger(KeepAlive.class);
  private static final String REQUEST = "keepalive@openssh.com";

  private final Session session;
  private final Duration interval;
  private final int most;
  private final Consumer<Duration> dead;
  private final AtomicInteger outstanding = new AtomicInteger();
  private final CountDownLatch over = new CountDownLatch(1);

  /**
   * For one session.
   *
   * @param interval between two requests; positive
   * @param most how many intervals may pass without a reply
   * @param dead is called once if more do, with the time since the last reply
   */
  public KeepAlive(Session session, Duration interval, int most, Consumer<Duration> dead) {
    this.session = session;
    this.interval = interval;
    this.most = most;
    this.dead = dead;
  }

  /**
   * Runs until the session closes, and no longer: what waits here keeps the session in memory.
   *
   * @return its thread
   */
  @CanIgnoreReturnValue
  public Thread start() {
    session.addCloseFutureListener(closed -> over.countDown());
    return Thread.ofVirtual().name("ssh-keepalive").start(this::run);
  }

  private void run() {
    try {
      while (!over.await(interval.toNanos(), TimeUnit.NANOSECONDS)) {
        int unanswered = outstanding.getAndIncrement();
        if (unanswered >= most) {
          dead.accept(interval.multipliedBy(unanswered));
          return;
        }
        if (unanswered == 0) {
          Thread.ofVirtual().name("ssh-keepalive-send").start(this::send);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void send() {
    try {
      Buffer buffer = session.createBuffer(SshConstants.SSH_MSG_GLOBAL_REQUEST);
      buffer.putString(REQUEST);
      buffer.putBoolean(true);
      session.request(buffer, REQUEST, (command, reply) -> outstanding.set(0));
    } catch (IOException | RuntimeException e) {
      log.debug("a keep-alive could not be sent", e);
    }
  }
}
