package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;

/** One file that a contact offers. Used by one thread; {@link #cancel} by any. */
final class IncomingFile {
  private static final int BUFFER = 1 << 18;

  /** {@code Size} where nobody knows it. */
  private static final long UNKNOWN = -1;

  /** For a CM to say the end that the data's end has shown already. */
  private static final Duration AFTER_DATA = Duration.ofSeconds(30);

  /** For a CM to say why the data ended early. */
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(2);

  private final LiveConnection connection;
  private final RemoteObject channel;
  private final Path directory;
  private final Progress progress;
  private final String contact;
  private final String name;
  private final long size;
  private final long date;
  private final @Nullable ContentHash hash;
  private final SocketAbilities abilities;

  private @Nullable ChannelWatch watch; // guarded by this
  private boolean cancelled; // guarded by this

  IncomingFile(
      LiveConnection connection,
      String path,
      Properties properties,
      Path directory,
      Progress progress) {
    this.connection = connection;
    this.channel = connection.object().at(path);
    this.directory = directory;
    this.progress = progress;
    String initiator = properties.text(Names.CHANNEL + ".InitiatorID");
    this.contact = initiator.isEmpty() ? "somebody" : initiator;
    Properties file = new Properties(properties.dict(), FileState.INTERFACE + ".");
    this.name = SafeName.of(file.text("Filename"));
    this.size = file.number("Size", UNKNOWN);
    this.date = file.number("Date", 0);
    this.hash = ContentHash.of(file.number("ContentHashType", 0), file.text("ContentHash"));
    Value.Dict map = file.dict("AvailableSocketTypes");
    this.abilities = map == null ? SocketAbilities.LOCALHOST_ONLY : SocketAbilities.of(map);
  }

  String contact() {
    return contact;
  }

  /** Whether it waits to be accepted: another program may have taken it. */
  boolean isPending() throws TransferException {
    ChannelWatch watching = connection.watch(channel);
    synchronized (this) {
      watch = watching;
      if (cancelled) {
        watching.lost("interrupted");
      }
    }
    boolean pending = watching.state() == FileState.PENDING;
    if (!pending) {
      connection.leave(channel);
    }
    return pending;
  }

  /** Gives up: {@link #receive} fails soon. */
  synchronized void cancel() {
    cancelled = true;
    if (watch != null) {
      watch.lost("interrupted");
    }
  }

  private synchronized ChannelWatch watch() {
    if (watch == null) {
      throw new IllegalStateException("not asked yet whether it is pending");
    }
    return watch;
  }

  /**
   * Accepts the file, and receives all of it.
   *
   * @return where it is
   */
  Path receive() throws IOException, InterruptedException {
    try (PartFile part = PartFile.open(directory, name, offer())) {
      checkSpace(part);
      long done = transfer(part);
      check(part, done);
      return part.finish();
    } finally {
      connection.close(channel);
    }
  }

  private String offer() {
    return String.join(
        "\0",
        contact,
        name,
        Long.toString(size),
        Long.toString(date),
        hash == null ? "" : hash.hex());
  }

  private void checkSpace(PartFile part) throws IOException {
    long missing = size == UNKNOWN ? 0 : size - part.channel().size();
    long usable = Files.getFileStore(directory).getUsableSpace();
    // 0 is also what file systems say that do not know.
    if (usable > 0 && missing > usable) {
      throw new TransferException(
          name + " needs " + missing + " bytes more, and " + directory + " has room for " + usable);
    }
  }

  /** Where to begin: at least one byte is asked for, as some networks cannot send none. */
  private long resumeFrom(PartFile part) throws IOException {
    long there = part.channel().size();
    if (size == UNKNOWN || there > size) {
      return 0;
    }
    return there == size ? Math.max(0, size - 1) : there;
  }

  /** Bytes of the file that are there at the end. */
  private long transfer(PartFile part) throws IOException, InterruptedException {
    ChannelWatch watching = watch();
    long wanted = resumeFrom(part);
    try (Connection stream = LocalSocket.open(channel, "AcceptFile", abilities, Value.t(wanted))) {
      watching.onFailure(stream::close);
      watching.await(FileState.OPEN);
      long offset = watching.initialOffset();
      if (offset < 0) {
        offset = Properties.number(channel.property(FileState.INTERFACE, "InitialOffset"), 0);
      }
      if (offset < 0 || offset > wanted) {
        throw new TransferException(
            name
                + " comes from byte "
                + Long.toUnsignedString(offset)
                + " on, and is needed from "
                + wanted);
      }
      part.channel().truncate(offset).position(offset);
      try (Progress.Meter meter = progress.begin(name + " from " + contact, size, offset)) {
        return copy(stream, part, offset, meter);
      }
    }
  }

  private long copy(Connection stream, PartFile part, long offset, Progress.Meter meter)
      throws IOException, InterruptedException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    long position = offset;
    try {
      while (position != size) {
        buffer.clear();
        if (size != UNKNOWN) {
          buffer.limit((int) Math.min(BUFFER, size - position));
        }
        int got = stream.read(buffer);
        if (got < 0) {
          break;
        }
        buffer.flip();
        while (buffer.hasRemaining()) {
          part.channel().write(buffer);
        }
        position += got;
        meter.at(position);
      }
    } catch (IOException e) {
      watch().awaitEnd(AFTER_FAILURE);
      throw incomplete(part, position, TransferException.reason(e));
    }
    return position;
  }

  /** The data's end alone proves nothing: a lost link looks the same. */
  private void check(PartFile part, long position) throws IOException, InterruptedException {
    ChannelWatch watching = watch();
    if (size != UNKNOWN && position != size) {
      watching.awaitEnd(AFTER_FAILURE);
      throw incomplete(part, position, "the data ended");
    }
    watching.awaitEnd(AFTER_DATA);
    if (size == UNKNOWN && watching.state() != FileState.COMPLETED) {
      throw incomplete(part, position, "nobody said that it is complete");
    }
    if (hash != null && !hash.matches(part.channel())) {
      part.discard();
      throw new TransferException(
          name + " does not have the " + hash.algorithm() + " that was offered, so it was removed");
    }
  }

  private TransferException incomplete(PartFile part, long position, @Nullable String otherwise) {
    String failure = watch().failure();
    String kept =
        position > 0
            ? "; "
                + part.path().getFileName()
                + " is kept, and resumed when the file is offered again"
            : "";
    return new TransferException(
        name
            + ": "
            + position
            + (size == UNKNOWN ? "" : " of " + size)
            + " bytes, "
            + (failure != null ? failure : otherwise)
            + kept);
  }
}
