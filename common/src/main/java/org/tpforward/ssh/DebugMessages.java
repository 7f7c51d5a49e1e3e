package org.tpforward.ssh;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.session.ReservedSessionMessagesHandler;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last SSH_MSG_DEBUG texts of a session (RFC 4253, section 11.3): OpenSSH says there what its
 * failure messages leave out. Displayed or not, they are kept; only a few, and only one line each.
 */
public final class DebugMessages {
  private static final Logger LOG = LoggerFactory.getLogger(DebugMessages.class);
  private static final AttributeKey<DebugMessages> KEY = new AttributeKey<>();
  private static final int KEPT = 16;
  private static final int LONGEST = 256;

  private final Deque<String> texts = new ArrayDeque<>();
  private long count;

  private DebugMessages() {}

  /** Those of a session of a client that {@link SshClients} made. */
  public static DebugMessages of(Session session) {
    return session.computeAttributeIfAbsent(KEY, key -> new DebugMessages());
  }

  /** Collects them; to be set on a client or server before it starts. */
  static ReservedSessionMessagesHandler collector() {
    return new ReservedSessionMessagesHandler() {
      @Override
      public void handleDebugMessage(Session session, Buffer buffer) {
        buffer.getBoolean();
        of(session).add(OneLine.of(buffer.getString(), LONGEST));
      }
    };
  }

  private synchronized void add(String text) {
    LOG.debug("the server says: {}", text);
    if (texts.size() == KEPT) {
      texts.remove();
    }
    texts.add(text);
    count++;
  }

  /** How many there have been so far: a mark for {@link #since}. */
  public synchronized long count() {
    return count;
  }

  /**
   * Those that came after {@link #count} was {@code mark}, as far as they are kept; oldest first.
   */
  public synchronized List<String> since(long mark) {
    int wanted = Math.clamp(count - mark, 0, texts.size());
    return texts.stream().skip(texts.size() - wanted).toList();
  }
}
