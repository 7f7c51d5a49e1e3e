package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.telepathy.Names;
import org.tpforward.telepathy.SocketAbilities;

/**
 * Offers one file to one contact, and sends it. Blocking; {@link #cancel} may be called by another
 * thread.
 */
public final class FileSender {
  private static final String TYPE = FileState.INTERFACE + ".";
  private static final long CONTACT = 1;
  private static final int BUFFER = 1 << 18;

  /** For a CM to notice that the end it was promised has come. */
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(2);

  private final Progress progress;
  private long reached; // of the file's bytes, by the sending thread
  private @Nullable ChannelWatch watch; // guarded by this
  private boolean cancelled; // guarded by this

  /**
   * @param progress told of the bytes
   */
  public FileSender(Progress progress) {
    this.progress = progress;
  }

  /**
   * Sends a file.
   *
   * @param bus of the connection manager
   * @param account what stands after --account, null: the only one
   * @param contact as its network names it
   * @param file a regular file
   * @return how many bytes went through: all that the other side did not have
   * @throws TransferException if anything is missing at the other side
   */
  public long send(BusConnection bus, @Nullable String account, String contact, Path file)
      throws TransferException, InterruptedException {
    try (FileChannel content = open(file)) {
      LiveConnection connection = LiveConnection.open(bus, new Accounts(bus).choose(account));
      return offer(connection, contact, file, content);
    } catch (TransferException e) {
      throw e;
    } catch (IOException e) {
      throw new TransferException(file + " cannot be read: " + e.getMessage());
    }
  }

  private static FileChannel open(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new TransferException(
          Files.exists(file) ? file + " is not a regular file" : file + " does not exist");
    }
    try {
      return FileChannel.open(file, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw new TransferException(file + " does not exist");
    }
  }

  private long offer(LiveConnection connection, String contact, Path file, FileChannel content)
      throws IOException, InterruptedException {
    long size = content.size();
    Value.Dict request = request(connection, contact, file, content, size);
    List<Value> reply;
    try {
      reply =
          connection.object().call(SessionBus.NETWORK, Names.REQUESTS, "CreateChannel", request);
    } catch (TransferException e) {
      throw new TransferException(
          Refusals.line(e, Refusals.What.FILE, contact, connection.account()), "", e);
    }
    if (reply.size() != 2 || !(reply.get(1) instanceof Value.Dict properties)) {
      throw new TransferException("the connection manager's answer to CreateChannel is malformed");
    }
    RemoteObject channel = connection.object().at(Properties.text(reply.getFirst()));
    ChannelWatch watching = connection.watch(channel);
    try {
      begin(watching);
      return transfer(
          channel, watching, new Properties(properties, TYPE), contact, file, content, size);
    } finally {
      connection.close(channel);
    }
  }

  private synchronized void begin(ChannelWatch watching) {
    watch = watching;
    if (cancelled) {
      watching.lost("interrupted");
    }
  }

  /** Gives up: {@link #send} fails soon, having closed its channel. */
  public synchronized void cancel() {
    cancelled = true;
    if (watch != null) {
      watch.lost("interrupted");
    }
  }

  private Value.Dict request(
      LiveConnection connection, String contact, Path file, FileChannel content, long size)
      throws IOException {
    Set<String> allowed = allowed(connection);
    Map<String, Value> request = new LinkedHashMap<>();
    request.put(Names.CHANNEL + ".ChannelType", Value.of(FileState.INTERFACE));
    request.put(Names.CHANNEL + ".TargetHandleType", Value.u(CONTACT));
    request.put(Names.CHANNEL + ".TargetID", Value.of(contact));
    request.put(TYPE + "Filename", Value.of(String.valueOf(file.getFileName())));
    request.put(TYPE + "Size", Value.t(size));
    String type = Files.probeContentType(file);
    request.put(TYPE + "ContentType", Value.of(type == null ? "application/octet-stream" : type));
    if (allowed.contains(TYPE + "Date")) {
      long seconds = Files.getLastModifiedTime(file).toMillis() / 1000;
      request.put(TYPE + "Date", Value.t(Math.max(0, seconds)));
    }
    if (allowed.contains(TYPE + "ContentHash") && allowed.contains(TYPE + "ContentHashType")) {
      try (Progress.Meter meter = progress.prepare("reading " + file.getFileName(), size)) {
        ContentHash hash = ContentHash.of(content, meter);
        request.put(TYPE + "ContentHashType", Value.u(hash.code()));
        request.put(TYPE + "ContentHash", Value.of(hash.hex()));
      }
    }
    return Value.dict(request);
  }

  /** The properties that a request for a file may have beyond those that it must. */
  private static Set<String> allowed(LiveConnection connection) throws TransferException {
    Set<String> allowed = new HashSet<>();
    Value classes = connection.object().property(Names.REQUESTS, "RequestableChannelClasses");
    if (classes instanceof Value.Array array) {
      for (Value element : array.elements()) {
        if (element instanceof Value.Struct(List<Value> fields)
            && fields.size() == 2
            && fields.getFirst() instanceof Value.Dict fixed
            && new Properties(fixed, "")
                .text(Names.CHANNEL + ".ChannelType")
                .equals(FileState.INTERFACE)) {
          allowed.addAll(Properties.texts(fields.get(1)));
        }
      }
    }
    return allowed;
  }

  private long transfer(
      RemoteObject channel,
      ChannelWatch watching,
      Properties properties,
      String contact,
      Path file,
      FileChannel content,
      long size)
      throws IOException, InterruptedException {
    progress.line("waiting for " + contact + " to accept " + file);
    // No time runs here: people accept files when they come back from lunch.
    awaitAccepted(watching, contact);
    Value.Dict abilities = properties.dict("AvailableSocketTypes");
    SocketAbilities offered =
        abilities == null ? SocketAbilities.LOCALHOST_ONLY : SocketAbilities.of(abilities);
    try (Connection stream = LocalSocket.open(channel, "ProvideFile", offered)) {
      watching.onFailure(stream::close);
      watching.await(FileState.OPEN);
      long offset = offset(channel, watching, size);
      reached = offset;
      try (Progress.Meter meter = progress.begin(file + " to " + contact, size, offset)) {
        copy(content, size, stream, meter);
        stream.shutdownOutput();
        watching.await(FileState.COMPLETED);
      } catch (IOException e) {
        watching.awaitEnd(AFTER_FAILURE);
        String failure = watching.failure();
        throw failure(failure == null ? TransferException.reason(e) : failure, contact, size);
      }
      if (reached != size) {
        throw failure(file + " is shorter than it was", contact, size);
      }
      return size - offset;
    }
  }

  private static void awaitAccepted(ChannelWatch watching, String contact)
      throws TransferException, InterruptedException {
    try {
      watching.await(FileState.ACCEPTED);
    } catch (TransferException e) {
      throw new TransferException(contact + " did not take the file: " + e.getMessage(), "", e);
    }
  }

  private TransferException failure(@Nullable String why, String contact, long size) {
    return new TransferException(
        contact + " has at most " + reached + " of " + size + " bytes: " + why);
  }

  private static long offset(RemoteObject channel, ChannelWatch watching, long size)
      throws TransferException {
    long offset = watching.initialOffset();
    if (offset < 0) {
      offset = Properties.number(channel.property(FileState.INTERFACE, "InitialOffset"), 0);
    }
    if (offset < 0 || offset > size) {
      throw new TransferException(
          "the other side wants the file from byte "
              + Long.toUnsignedString(offset)
              + " on, and it has "
              + size);
    }
    return offset;
  }

  private void copy(FileChannel content, long size, Connection stream, Progress.Meter meter)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    while (reached < size) {
      buffer.clear().limit((int) Math.min(BUFFER, size - reached));
      int got = content.read(buffer, reached);
      if (got < 0) {
        break;
      }
      stream.write(buffer.flip());
      reached += got;
      meter.at(reached);
    }
  }
}
