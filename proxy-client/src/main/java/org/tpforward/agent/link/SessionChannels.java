package org.tpforward.agent.link;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.sshd.client.channel.ClientChannel;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.exception.SshChannelOpenException;
import org.apache.sshd.common.session.ConnectionService;

/**
 * The session channels (RFC 4254, section 6) of one connection: commands, and SFTP. The server may
 * allow only some at a time (MaxSessions), and sshd counts one that has ended until it comes to
 * tidy up, which may be after it has read the request for the next. So what is refused waits for
 * another one's end, or is tried again after one, and only then is it refused for good.
 *
 * <p>For any number of threads.
 */
final class SessionChannels {
  private static final AttributeKey<SessionChannels> KEY = new AttributeKey<>();

  /** For a server that has opened one before and is only slow to tidy up. */
  private static final int TRIES = 6;

  private static final long FIRST_PAUSE_MILLIS = 5;

  private final ClientSession session;

  /** Those that are open, or being opened. */
  @GuardedBy("this")
  private int now;

  /** How many the server has opened. */
  @GuardedBy("this")
  private long opened;

  /** How many of those have ended. */
  @GuardedBy("this")
  private long ended;

  private SessionChannels(ClientSession session) {
    this.session = session;
  }

  static SessionChannels of(ClientSession session) {
    return session.computeAttributeIfAbsent(KEY, key -> new SessionChannels(session));
  }

  /**
   * Opens one. Blocks, also for the end of others. The caller {@link #close}s it.
   *
   * @param channels makes one for each try
   * @param bound of each try, and of each wait
   * @throws IOException if the server opens none, or the session is over
   */
  <C extends ClientChannel> C open(Supplier<C> channels, Duration bound) throws IOException {
    int tries = 0;
    while (true) {
      long before = begin();
      C channel = channels.get();
      try {
        session.getService(ConnectionService.class).registerChannel(channel);
        channel.open().verify(bound);
        synchronized (this) {
          opened++;
        }
        return channel;
      } catch (IllegalStateException e) {
        giveUp(channel);
        throw new IOException("the link is closing", e);
      } catch (IOException e) {
        giveUp(channel);
        if (!isForNow(e) || (!awaitEnd(before, bound) && !pause(tries++))) {
          throw e;
        }
      }
    }
  }

  private synchronized long begin() {
    now++;
    return ended;
  }

  private synchronized void giveUp(ClientChannel channel) {
    channel.close(false);
    now--;
    notifyAll();
  }

  /** Waits until one has ended since; false if there is none that could. */
  private synchronized boolean awaitEnd(long endedBefore, Duration bound) throws IOException {
    long deadline = System.nanoTime() + bound.toNanos();
    while (ended == endedBefore && now > 0) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException e) {
        throw interrupted();
      }
    }
    return ended > endedBefore;
  }

  /** Waits a little, if that may help. */
  private boolean pause(int tries) throws IOException {
    synchronized (this) {
      if (opened == 0 || tries >= TRIES) {
        return false;
      }
    }
    try {
      Thread.sleep(FIRST_PAUSE_MILLIS << tries);
      return true;
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while opening a session channel");
  }

  /** Closes one. To be called once for each. */
  void close(ClientChannel channel) {
    // Not at once: that would send no SSH_MSG_CHANNEL_CLOSE, and use up the server's MaxSessions.
    channel.close(false);
    synchronized (this) {
      now--;
      ended++;
      notifyAll();
    }
  }

  /** What sshd says where there are too many; "prohibited" is for ever. */
  private static boolean isForNow(IOException e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof SshChannelOpenException refused) {
        int why = refused.getReasonCode();
        return why == SshConstants.SSH_OPEN_CONNECT_FAILED
            || why == SshConstants.SSH_OPEN_RESOURCE_SHORTAGE;
      }
    }
    return false;
  }
}
