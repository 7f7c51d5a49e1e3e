package org.tpforward.harness;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.HexFormat;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSessionImpl;
import org.apache.sshd.client.session.SessionFactory;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.util.buffer.Buffer;

/**
 * A client's session in which any packets may be sent, and nothing is made of what comes back, but
 * that it is counted: {@link #await} tells how many packets the server has surely read. Packets are
 * read in order; so {@link #probe} after each, which the server answers, tells that it has read all
 * before.
 */
final class RawSession extends ClientSessionImpl {
  /** The sender's number of the first probe; none that was recorded, nor is it like one. */
  private static final int PROBE = 0x7465_0000;

  @GuardedBy("answers")
  private int answered;

  @GuardedBy("answers")
  private boolean over;

  private final Object answers = new Object();

  private volatile boolean raw;
  private int probes;

  private RawSession(SshClient client, IoSession ioSession) throws Exception {
    super(client, ioSession);
    addCloseFutureListener(closed -> {
      synchronized (answers) {
        over = true;
        answers.notifyAll();
      }
    });
  }

  /** Makes a client's sessions such ones. */
  static SessionFactory factory(SshClient client) {
    return new SessionFactory(client) {
      @Override
      protected ClientSessionImpl doCreateSession(IoSession ioSession) throws Exception {
        return new RawSession(client, ioSession);
      }
    };
  }

  /** From now on whatever comes of the login or of channels is counted only. */
  void takeOver() {
    raw = true;
  }

  /** Sends one packet. */
  void send(byte[] payload) throws IOException {
    byte message = payload.length == 0 ? SshConstants.SSH_MSG_IGNORE : payload[0];
    Buffer buffer = createBuffer(message, payload.length + 8);
    if (payload.length > 1) {
      buffer.putRawBytes(payload, 1, payload.length - 1);
    }
    writePacket(buffer);
  }

  /** Asks for a channel of a type that there is not. */
  void probe() throws IOException {
    Buffer buffer = createBuffer(SshConstants.SSH_MSG_CHANNEL_OPEN, 64);
    buffer.putString("probe");
    buffer.putUInt(PROBE + probes++);
    buffer.putUInt(1 << 16);
    buffer.putUInt(1 << 15);
    writePacket(buffer);
  }

  @Override
  protected void doHandleMessage(Buffer buffer) throws Exception {
    int message = Byte.toUnsignedInt(buffer.array()[buffer.rpos()]);
    if (!raw || message < SshConstants.SSH_MSG_USERAUTH_REQUEST) {
      super.doHandleMessage(buffer);
      return;
    }
    buffer.getUByte();
    synchronized (answers) {
      if (message < SshConstants.SSH_MSG_GLOBAL_REQUEST) {
        answered++;
      } else if (message == SshConstants.SSH_MSG_CHANNEL_OPEN_FAILURE) {
        answered = Math.max(answered, buffer.getInt() - PROBE + 1);
      }
      answers.notifyAll();
    }
  }

  /**
   * Waits for so many answers, or the session's end.
   *
   * @param last what was sent, for the message
   * @return how many packets were answered, and the one that ended the session; at most {@code
   *     count}
   * @throws HarnessException if neither happens
   */
  int await(int count, byte[] last) throws InterruptedException {
    long end = System.nanoTime() + Proc.PATIENCE.toNanos();
    synchronized (answers) {
      while (answered < count && !over) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          throw new HarnessException(
              "the server neither answers nor ends the session, after "
                  + answered
                  + " answers to "
                  + count
                  + " packets; the last of them: "
                  + HexFormat.of().formatHex(last));
        }
        answers.wait(left);
      }
      return Math.min(count, over ? answered + 1 : answered);
    }
  }
}
