package org.tpforward.ssh;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.sshd.client.channel.AbstractClientChannel;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.SshException;
import org.apache.sshd.common.channel.LocalWindow;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.common.util.threads.ThreadUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;

/**
 * A channel that is nothing but a stream of bytes (RFC 4254, section 5), opened by this side, or by
 * the other as an {@link UnansweredChannel}. MINA calls the {@code handle} methods on its reading
 * thread, where nothing waits; {@link ChannelDuplex} is the other side.
 */
class StreamChannel extends AbstractClientChannel {
  /** SSH's packet header and command, the channel, the length; padding and tag behind the data. */
  private static final int PACKET_OVERHEAD = 5 + 1 + 4 + 4 + 64;

  /** Unless the peer wants less in a packet; OpenSSH takes 32 KiB. */
  private static final int MAX_DATA = 128 << 10;

  /** From here on a packet's array is worth keeping. Bytes. */
  private static final int LONG = 8 << 10;

  private static final int LONGEST_MESSAGE = 512;

  private final Consumer<Buffer> openBody;
  private final InboundQueue inbound;
  private final OutboundWindow outbound = new OutboundWindow();
  private final AtomicBoolean closing = new AtomicBoolean();
  private volatile @Nullable ChannelOpenFailedException openFailure;
  private volatile @Nullable Runnable listener;
  private int maxData = MAX_DATA;

  /**
   * @param type the channel type
   * @param openBody writes what follows the maximum packet size in SSH_MSG_CHANNEL_OPEN
   */
  StreamChannel(String type, Consumer<Buffer> openBody) {
    super(type);
    this.openBody = openBody;
    this.inbound = new InboundQueue(ReceiveBudget.SHARED);
  }

  /** What MINA tells the peer about the window is what this channel holds it to. */
  @Override
  protected void configureWindow() {
    CoreModuleProperties.WINDOW_SIZE.set(this, inbound.initialWindow());
    super.configureWindow();
  }

  // Opening

  @Override
  public synchronized OpenFuture open() throws IOException {
    if (isClosing()) {
      throw new SshException("the channel is closing");
    }
    OpenFuture future = new DefaultOpenFuture(toString(), futureLock);
    openFuture = future;
    LocalWindow window = getLocalWindow();
    Buffer buffer = getSession().createBuffer(SshConstants.SSH_MSG_CHANNEL_OPEN, 256);
    buffer.putString(getChannelType());
    buffer.putUInt(getChannelId());
    buffer.putUInt(window.getSize());
    buffer.putUInt(window.getPacketSize());
    openBody.accept(buffer);
    writePacket(buffer);
    if (isClosing()) {
      // The session may have ended before there was a future to tell.
      failOpening(future);
    }
    return future;
  }

  private static void failOpening(OpenFuture future) {
    if (!future.isDone()) {
      future.setException(new IOException("the SSH connection was lost"));
    }
  }

  @Override
  protected void doOpen() {
    maxData = (int) Math.min(MAX_DATA, getRemoteWindow().getPacketSize());
    outbound.grow(getRemoteWindow().getSize());
  }

  @Override
  public void handleOpenFailure(Buffer buffer) {
    int start = buffer.rpos();
    int code = buffer.getInt();
    String message = OneLine.of(buffer.getString(), LONGEST_MESSAGE);
    openFailure = new ChannelOpenFailedException(code, message);
    buffer.rpos(start);
    super.handleOpenFailure(buffer);
  }

  /** Why the peer refused the channel, once it has. */
  final @Nullable ChannelOpenFailedException openFailure() {
    return openFailure;
  }

  // What comes from the peer

  @Override
  public void handleData(Buffer buffer) throws IOException {
    int length = dataLength(buffer);
    long grant = inbound.offer(buffer.array(), buffer.rpos(), length);
    if (grant > 0) {
      grant(grant);
    }
    tell();
  }

  /** Somebody may want to know that there is something to read. */
  private void tell() {
    Runnable told = listener;
    if (told != null) {
      told.run();
    }
  }

  /** No such stream has a second one: its bytes are counted and dropped. */
  @Override
  public void handleExtendedData(Buffer buffer) throws IOException {
    buffer.getInt();
    inbound.discard(dataLength(buffer));
  }

  private int dataLength(Buffer buffer) throws SshException {
    long length = buffer.getUInt();
    if (length > buffer.available()) {
      throw new SshException(
          SshConstants.SSH2_DISCONNECT_PROTOCOL_ERROR,
          "channel data of " + length + " bytes in a packet of " + buffer.available());
    }
    return (int) length;
  }

  @Override
  public void handleWindowAdjust(Buffer buffer) {
    outbound.grow(buffer.getUInt());
  }

  @Override
  public void handleEof() throws IOException {
    inbound.end();
    super.handleEof();
    tell();
  }

  @Override
  public void handleClose() {
    OpenFuture future = openFuture;
    if (future != null && !future.isDone()) {
      // No answer will come.
      future.setException(new IOException("the other side closed the channel and did not open it"));
    }
    // Whoever learns of it by reading must not be able to write any more.
    IOException closed = Failures.bare("the other side closed the channel");
    outbound.fail(closed, () -> {});
    inbound.fail(Failures.bare("the other side closed the channel before its end"));
    outbound.fail(closed, this::acknowledgeClose);
    tell();
  }

  private void acknowledgeClose() {
    try {
      super.handleClose();
    } catch (IOException e) {
      log.debug("closing {} failed", this, e);
    }
  }

  /** Also the way in which a lost session ends its channels. */
  @Override
  protected void preClose() {
    IOException why = Failures.bare("the SSH connection was lost");
    outbound.fail(why, () -> {});
    inbound.fail(why);
    OpenFuture future = openFuture;
    if (future != null && getSession().isClosing()) {
      failOpening(future);
    }
    super.preClose();
    tell();
  }

  @Override
  protected void doWriteData(byte[] data, int offset, long length) {
    throw new UnsupportedOperationException("handleData does it");
  }

  @Override
  protected void doWriteExtendedData(byte[] data, int offset, long length) {
    throw new UnsupportedOperationException("handleExtendedData does it");
  }

  // What the stream's owner does

  final boolean awaitReadable(long millis, Duplex.@Nullable Receiver meanwhile) throws IOException {
    return inbound.await(millis, meanwhile);
  }

  final int read(ByteBuffer dst) throws IOException {
    int count = inbound.take(dst);
    if (count > 0) {
      long grant = inbound.release(count);
      if (grant > 0) {
        grant(grant);
      }
    }
    return count;
  }

  /** Has somebody told of what arrives, on MINA's reading thread, where nothing waits. */
  final void watch(@Nullable Runnable who) {
    listener = who;
  }

  /** As {@link #read}, but 0 where that would wait. */
  final int readNow(ByteBuffer dst) throws IOException {
    return inbound.isReady() ? read(dst) : 0;
  }

  /** How much {@link #writeNow} takes; 0 while the peer, or the connection, takes nothing. */
  final int roomNow() {
    TransportSession transport = transport();
    return transport != null && transport.isWritable()
        ? (int) Math.min(maxData, outbound.credit())
        : 0;
  }

  /** The connection beneath, unless it is one of MINA's own kinds. */
  final @Nullable TransportSession transport() {
    return getSession().getIoSession() instanceof TransportSession transport ? transport : null;
  }

  /**
   * Writes what {@link #roomNow} allows, without waiting: in the middle of a key exchange MINA
   * queues the packet, as it does for its own threads.
   */
  final int writeNow(ByteBuffer src) throws IOException {
    int count = outbound.beginSending(src.remaining());
    try {
      Session session = getSession();
      byte[] room = new byte[count + PACKET_OVERHEAD];
      ThreadUtils.runAsInternal(dataPacket(session, room, src, count), session::writePacket);
    } finally {
      outbound.sent();
    }
    return count;
  }

  private void grant(long bytes) {
    try {
      sendWindowAdjust(bytes);
    } catch (IOException e) {
      // The bytes are taken all the same; whatever is wrong meets the next read.
      log.debug("widening the window of {} failed", this, e);
    }
  }

  final int write(ByteBuffer src) throws IOException {
    int total = src.remaining();
    Session session = getSession();
    byte[] room = {};
    while (src.hasRemaining()) {
      int wanted = Math.min(src.remaining(), maxData);
      int count = outbound.beginSending(wanted);
      try {
        if (room.length < wanted + PACKET_OVERHEAD) {
          room = room(wanted + PACKET_OVERHEAD);
        }
        if (!session.writePacket(dataPacket(session, room, src, count)).isDone()) {
          room = new byte[0]; // It is the queue's now.
        }
      } finally {
        outbound.sent();
      }
      awaitWritable();
    }
    PacketArrays.giveBack(room);
    return total;
  }

  private static byte[] room(int length) {
    return length < LONG ? new byte[length] : PacketArrays.take(length);
  }

  private Buffer dataPacket(Session session, byte[] room, ByteBuffer src, int count) {
    Buffer packet =
        session.prepareBuffer(SshConstants.SSH_MSG_CHANNEL_DATA, new ByteArrayBuffer(room, false));
    packet.putUInt(getRecipient());
    packet.putUInt(count);
    int at = packet.wpos();
    src.get(packet.array(), at, count);
    packet.wpos(at + count);
    return packet;
  }

  private void awaitWritable() throws IOException {
    TransportSession transport = transport();
    if (transport != null) {
      transport.awaitWritable();
    }
  }

  final void shutdownOutput() throws IOException {
    if (outbound.shutdown()) {
      sendEof();
    }
  }

  /** Ends the stream on this side; {@code inOrder} for an EOF before the CLOSE. */
  final void end(boolean inOrder) {
    if (!closing.compareAndSet(false, true)) {
      return;
    }
    inbound.abandon(Failures.closed());
    outbound.fail(
        Failures.closed(),
        () -> {
          if (inOrder) {
            try {
              sendEof();
            } catch (IOException e) {
              log.debug("ending {} failed", this, e);
            }
          }
          close(false);
        });
  }

  /** For a channel that never became a stream: gives back its window. */
  final void dispose() {
    closing.set(true);
    inbound.abandon(Failures.closed());
  }

  final boolean isEnded() {
    return closing.get();
  }
}
