package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;

/**
 * A channel that the other side opens. It stays unconfirmed until its {@link Incoming} is accepted
 * or refused, by any thread; nothing of its stream can arrive before that.
 */
abstract class UnansweredChannel extends StreamChannel {
  private final AtomicBoolean answered = new AtomicBoolean();
  private @Nullable Runnable onAnswer;

  UnansweredChannel(String type) {
    super(type, body -> {});
  }

  /** Makes channels of one type. */
  static ChannelFactory factory(String type, Function<String, UnansweredChannel> maker) {
    return new ChannelFactory() {
      @Override
      public String getName() {
        return type;
      }

      @Override
      public Channel createChannel(Session session) {
        return maker.apply(type);
      }
    };
  }

  /**
   * SSH_MSG_CHANNEL_OPEN has arrived (RFC 4254, section 5.1). On MINA's reading thread: what this
   * calls must not wait.
   *
   * @return a future that is never done. MINA answers a failed one itself, in words of its own; the
   *     answer to a refusal has been sent then, and a second one ends the session.
   */
  @Override
  public OpenFuture open(long recipient, long window, long packet, Buffer buffer) {
    setRecipient(recipient);
    openFuture = new DefaultOpenFuture(toString(), futureLock);
    OpenFuture unanswered = new DefaultOpenFuture(toString(), futureLock);
    try {
      getRemoteWindow().init(window, packet, getSession());
    } catch (IllegalArgumentException e) {
      refuse(SshConstants.SSH_OPEN_RESOURCE_SHORTAGE, "unusable packet size");
      return unanswered;
    }
    asked(buffer);
    return unanswered;
  }

  /**
   * What the other side wants of the channel: hands it on to who answers.
   *
   * @param body what follows the maximum packet size in SSH_MSG_CHANNEL_OPEN
   */
  abstract void asked(Buffer body);

  /** This channel as its answerer sees it. */
  final Incoming incoming(@Nullable InetSocketAddress originator) {
    return new UnansweredIncoming(this, originator);
  }

  /** Called once, before anybody can answer: what to do when that has happened. */
  final void onAnswer(Runnable action) {
    onAnswer = action;
  }

  private boolean answer() {
    if (!answered.compareAndSet(false, true)) {
      return false;
    }
    Runnable action = onAnswer;
    if (action != null) {
      action.run();
    }
    return true;
  }

  final Duplex accept() throws IOException {
    if (!answer()) {
      throw new IOException("this connection has been answered already");
    }
    if (isClosing()) {
      throw new IOException("the SSH connection was lost");
    }
    doOpen();
    // MINA's listener sends the confirmation.
    signalChannelOpenSuccess();
    opened.set(true);
    openFuture.setOpened();
    return new ChannelDuplex(this);
  }

  /**
   * Sends the refusal, with the caller's words.
   *
   * @param code as in {@link ChannelOpenFailedException}
   */
  final void refuse(int code, String why) {
    if (answer()) {
      Session session = getSession();
      Buffer failure = session.createBuffer(SshConstants.SSH_MSG_CHANNEL_OPEN_FAILURE, 256);
      failure.putUInt(getRecipient());
      failure.putUInt(code);
      failure.putString(why);
      failure.putString("");
      try {
        session.writePacket(failure);
      } catch (IOException e) {
        log.debug("{} is refused too late", this, e);
      }
      close(true);
      dispose();
    }
  }

  @Override
  protected void preClose() {
    if (answer()) {
      dispose();
    }
    super.preClose();
  }
}
