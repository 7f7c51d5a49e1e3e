package org.tpforward.ssh;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.channel.exception.SshChannelOpenException;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;

/**
 * A channel that the server opens because somebody connected to a {@link RemoteListener}. It stays
 * unconfirmed until its {@link Incoming} is accepted or refused.
 */
final class ForwardedChannel extends StreamChannel {
  private final AtomicBoolean answered = new AtomicBoolean();
  private @Nullable Runnable onAnswer;

  private ForwardedChannel(String type) {
    super(type, body -> {});
  }

  /** Makes these channels for a client or a server. */
  static ChannelFactory factory(String type) {
    return new ChannelFactory() {
      @Override
      public String getName() {
        return type;
      }

      @Override
      public Channel createChannel(Session session) {
        return new ForwardedChannel(type);
      }
    };
  }

  /**
   * SSH_MSG_CHANNEL_OPEN has arrived. OpenSSH's PROTOCOL, section 2.4, for streamlocal: {@code
   * string path, string reserved}. RFC 4254, section 7.2, for TCP: {@code string address, uint32
   * port, string originator, uint32 originator's port}.
   */
  @Override
  public OpenFuture open(long recipient, long window, long packet, Buffer buffer) {
    setRecipient(recipient);
    OpenFuture future = new DefaultOpenFuture(toString(), futureLock);
    openFuture = future;
    String place;
    InetSocketAddress originator = null;
    if (getChannelType().equals(RemoteListeners.FORWARDED_STREAMLOCAL)) {
      place = RemoteListeners.placeOf(buffer.getString());
    } else {
      place = RemoteListeners.placeOf(buffer.getString(), buffer.getUInt());
      originator = Originators.parse(buffer.getString(), buffer.getUInt());
    }
    RemoteListener listener = RemoteListeners.of(getSession()).at(place);
    if (listener == null) {
      refuse(SshConstants.SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, "nobody asked for it");
      return future;
    }
    try {
      getRemoteWindow().init(window, packet, getSession());
    } catch (IllegalArgumentException e) {
      refuse(SshConstants.SSH_OPEN_RESOURCE_SHORTAGE, "unusable packet size");
      return future;
    }
    listener.offer(this, originator);
    return future;
  }

  /** Called once, before anybody can answer: what to do when that has happened. */
  void onAnswer(Runnable action) {
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

  Duplex accept() throws IOException {
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

  void refuse(int code, String why) {
    if (answer()) {
      // MINA's listener sends the failure.
      openFuture.setException(new SshChannelOpenException(getChannelId(), code, why));
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
