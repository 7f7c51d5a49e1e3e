package org.tpforward.loopback;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.loopback.FileChannel.Reason;
import org.tpforward.loopback.FileChannel.State;

/**
 * One file on its way from one account to another: the states of both channels, and the data
 * between their sockets. Its monitor guards the state; the data move in a thread of its own.
 *
 * <p>Pending, then Accepted when the receiver has accepted, Open when the sender has provided too,
 * then Completed or Cancelled, each side with reasons of its own.
 */
final class FileTransfer {
  private static final Logger LOG = LoggerFactory.getLogger(FileTransfer.class);

  private final Manager manager;
  private final FileProperties file;
  private @Nullable FileChannel sender;
  private @Nullable FileChannel receiver;
  private @Nullable FileSocket source;
  private @Nullable FileSocket sink;
  private long offset;

  private FileTransfer(Manager manager, FileProperties file) {
    this.manager = manager;
    this.file = file;
  }

  /** Makes both channels; the sender's is returned, and not announced yet. */
  static FileChannel offer(Manager manager, Connection from, Connection to, FileProperties file) {
    Target target = new Target(Handles.CONTACT, to.handle(), to.account());
    FileTransfer transfer = new FileTransfer(manager, file);
    String type = Names.FILE_TRANSFER;
    FileChannel sender =
        new FileChannel(
            manager, from, Channel.Identity.outgoing(type, from, target), transfer, file);
    FileChannel receiver =
        new FileChannel(manager, to, Channel.Identity.incoming(type, from, target), transfer, file);
    synchronized (transfer) {
      transfer.sender = sender;
      transfer.receiver = receiver;
    }
    sender.export();
    receiver.export();
    return sender;
  }

  /** Announces the receiver's channel. */
  void announceToPeer() {
    FileChannel other;
    synchronized (this) {
      other = receiver;
    }
    if (other != null && other.isOpen()) {
      other.opened();
    }
  }

  private FileSocket listen(FileChannel channel, Call call) throws Fault {
    return new FileSocket(
        Kinds.of(call.number(0), call.number(1), manager.profile().files()),
        call.arguments().get(2),
        manager.sockets(),
        channel.path(),
        new Door(manager.bus()));
  }

  /** AcceptFile (u type, u access, v parameter, t offset). */
  synchronized void accept(FileChannel channel, Call call) throws Fault {
    FileChannel other = sender;
    manager.misbehaviour().beforeAccept();
    if (channel != receiver || other == null) {
      throw Fault.notAvailable("only the receiver can accept a file");
    }
    if (sink != null || channel.state() != State.PENDING) {
      throw Fault.notAvailable("the file has been accepted before");
    }
    long wanted = call.number(3);
    if (wanted < 0 || wanted > file.size()) {
      throw Fault.invalidArgument("offset " + wanted + " is not in the file");
    }
    FileSocket socket = listen(channel, call);
    sink = socket;
    offset = wanted;
    channel.setState(State.ACCEPTED, Reason.REQUESTED);
    manager.misbehaviour().answer(call, socket.address());
    if (source == null) {
      other.setState(State.ACCEPTED, Reason.NONE);
    } else {
      open(Reason.NONE);
    }
  }

  /** ProvideFile (u type, u access, v parameter). */
  synchronized void provide(FileChannel channel, Call call) throws Fault {
    if (channel != sender) {
      throw Fault.notAvailable("only the sender can provide a file");
    }
    if (source != null || channel.state().isEnd()) {
      throw Fault.notAvailable("the file has been provided before");
    }
    FileSocket socket = listen(channel, call);
    source = socket;
    manager.misbehaviour().answer(call, socket.address());
    if (sink != null) {
      open(Reason.REQUESTED);
    }
  }

  private void open(Reason sendersReason) {
    FileChannel from = sender;
    FileChannel to = receiver;
    if (from != null && to != null) {
      from.setOffset(offset);
      to.setOffset(offset);
      from.setState(State.OPEN, sendersReason);
      to.setState(State.OPEN, Reason.NONE);
      Thread.ofPlatform().daemon().name("loopback-file").start(this::transfer);
    }
  }

  private void transfer() {
    FileSocket from;
    FileSocket to;
    synchronized (this) {
      from = source;
      to = sink;
    }
    if (from == null || to == null) {
      return;
    }
    try {
      if (file.size() == offset) {
        complete();
      }
      SocketChannel in = from.await();
      SocketChannel out = to.await();
      if (in != null && out != null) {
        move(in, out);
      }
      from.close();
      to.close();
    } catch (FilePump.SideException e) {
      LOG.info("a transfer broke: {}", e.getMessage());
      broken(e.side());
    } catch (IOException e) {
      LOG.debug("a transfer ended", e);
      from.close();
      to.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void move(SocketChannel in, SocketChannel out) throws IOException {
    new FilePump(in, out)
        .run(
            file.size() - offset,
            new FilePump.Watcher() {
              @Override
              public long passed(long bytes) throws IOException {
                return progress(bytes);
              }

              @Override
              public void complete() {
                FileTransfer.this.complete();
              }
            });
  }

  private long progress(long bytes) throws IOException {
    boolean due = manager.misbehaviour().isDue(bytes);
    for (FileChannel channel : live()) {
      channel.setTransferred(bytes, due);
    }
    return manager.misbehaviour().passed(bytes, new Ends());
  }

  private final class Ends implements Misbehaviour.Victim {
    @Override
    public void cut() {
      closeSockets();
    }

    @Override
    public void cancelByPeer() {
      synchronized (FileTransfer.this) {
        for (FileChannel channel : live()) {
          channel.setState(State.CANCELLED, Reason.REMOTE_STOPPED);
        }
        closeSockets();
      }
    }

    @Override
    public void closeChannels() {
      FileChannel first;
      FileChannel second;
      synchronized (FileTransfer.this) {
        first = sender;
        second = receiver;
      }
      if (first != null && second != null) {
        first.close();
        second.close();
      }
    }
  }

  /** The channels whose state still changes. */
  private synchronized List<FileChannel> live() {
    List<FileChannel> live = new ArrayList<>();
    for (FileChannel channel : new FileChannel[] {sender, receiver}) {
      if (channel != null && channel.isOpen() && !channel.state().isEnd()) {
        live.add(channel);
      }
    }
    return live;
  }

  private synchronized void complete() {
    for (FileChannel channel : live()) {
      channel.setTransferred(file.size() - offset, true);
      channel.setState(State.COMPLETED, Reason.NONE);
    }
  }

  /** One side's connection failed: both channels are cancelled, and stay until they are closed. */
  private synchronized void broken(FilePump.Side side) {
    FileChannel failed = side == FilePump.Side.SOURCE ? sender : receiver;
    for (FileChannel channel : live()) {
      channel.setState(
          State.CANCELLED, channel == failed ? Reason.LOCAL_ERROR : Reason.REMOTE_ERROR);
    }
    closeSockets();
  }

  /** A channel is being closed: unless the file is complete, that cancels it for both. */
  synchronized void closing(FileChannel closed) {
    if (closed.state() == State.COMPLETED) {
      // What is still here goes on to a receiver that has connected.
      FileSocket unused = closed == sender ? source : sink;
      if (unused != null) {
        unused.stopListening();
      }
      return;
    }
    cancel(closed);
  }

  /** Cancels for both, as if a client had closed that channel. */
  synchronized void cancel(FileChannel by) {
    for (FileChannel channel : new FileChannel[] {sender, receiver}) {
      if (channel != null && !channel.state().isEnd()) {
        channel.setState(
            State.CANCELLED, channel == by ? Reason.LOCAL_STOPPED : Reason.REMOTE_STOPPED);
      }
    }
    closeSockets();
  }

  private void closeSockets() {
    CmListener.closeQuietly(source);
    CmListener.closeQuietly(sink);
  }
}
