package org.tpforward.agent.link;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.sshd.client.channel.ChannelSubsystem;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.util.buffer.BufferException;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;

/**
 * As much of SFTP version 3 (draft-ietf-secsh-filexfer-02) as it takes to make, list and remove a
 * directory. One request at a time, by one thread; all of them together within one bound of time.
 */
final class SftpClient implements Closeable {
  private static final int INIT = 1;
  private static final int VERSION = 2;
  private static final int CLOSE = 4;
  private static final int LSTAT = 7;
  private static final int OPENDIR = 11;
  private static final int READDIR = 12;
  private static final int REMOVE = 13;
  private static final int MKDIR = 14;
  private static final int RMDIR = 15;
  private static final int REALPATH = 16;
  private static final int STATUS = 101;
  private static final int HANDLE = 102;
  private static final int NAME = 104;
  private static final int ATTRS = 105;

  private static final int STATUS_OK = 0;
  private static final int STATUS_EOF = 1;
  private static final int STATUS_NO_SUCH_FILE = 2;

  private static final int ATTR_SIZE = 1;
  private static final int ATTR_OWNER = 2;
  private static final int ATTR_PERMISSIONS = 4;
  private static final int ATTR_TIMES = 8;
  private static final int ATTR_EXTENDED = 0x8000_0000;

  private static final int FILE_TYPE = 0170000;
  private static final int SOCKET = 0140000;
  private static final int PRIVATE = 0700;
  // What sftp-server accepts itself.
  private static final int LONGEST_PACKET = 256 << 10;
  private static final int MOST_NAMES = 10_000;

  /** The server refused one request. */
  static final class StatusException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int code;

    StatusException(int code, String message) {
      super(message);
      this.code = code;
    }

    boolean isMissing() {
      return code == STATUS_NO_SUCH_FILE;
    }
  }

  /**
   * A file's attributes, as far as the server tells.
   *
   * @param owner its user's id, or -1
   * @param mode type and permissions as in stat(2), or 0
   */
  record Attributes(long owner, int mode) {
    boolean isSocket() {
      return (mode & FILE_TYPE) == SOCKET;
    }
  }

  private final SessionChannels channels;
  private final ChannelSubsystem channel;
  private final DataInputStream in;
  private final OutputStream out;
  private final Thread watchdog;
  private final AtomicBoolean closed = new AtomicBoolean();
  private int id;

  private SftpClient(SessionChannels channels, ChannelSubsystem channel, Duration bound) {
    this.channels = channels;
    this.channel = channel;
    this.in = new DataInputStream(channel.getInvertedOut());
    this.out = channel.getInvertedIn();
    this.watchdog = Thread.ofVirtual().name("sftp-bound").start(() -> closeAfter(bound));
  }

  private void closeAfter(Duration bound) {
    try {
      Thread.sleep(bound);
      channel.close(true);
    } catch (InterruptedException e) {
      // Done in time.
    }
  }

  /**
   * Starts the subsystem; the caller closes.
   *
   * @param bound after which a read that still waits gets an exception
   */
  static SftpClient open(ClientSession session, Duration bound) throws IOException {
    SessionChannels channels = SessionChannels.of(session);
    ChannelSubsystem channel = channels.open(SftpClient::subsystem, bound);
    SftpClient client = new SftpClient(channels, channel, bound);
    try {
      ByteArrayBuffer hello = new ByteArrayBuffer();
      hello.putByte((byte) INIT);
      hello.putUInt(3);
      client.send(hello);
      if (client.receive().getUByte() != VERSION) {
        throw new IOException("no SFTP");
      }
      return client;
    } catch (IOException | BufferException e) {
      client.close();
      throw new IOException("the server has no SFTP for this user", e);
    }
  }

  private static ChannelSubsystem subsystem() {
    return new ChannelSubsystem("sftp") {
      @Override
      public void handleFailure() {
        close(false);
      }
    };
  }

  /** Makes a directory of mode 0700; an exception if there is anything of that name. */
  void makeDirectory(String path) throws IOException {
    ByteArrayBuffer request = request(MKDIR, path);
    request.putUInt(ATTR_PERMISSIONS);
    request.putUInt(PRIVATE);
    expectOk(request);
  }

  void remove(String path) throws IOException {
    expectOk(request(REMOVE, path));
  }

  void removeDirectory(String path) throws IOException {
    expectOk(request(RMDIR, path));
  }

  /** The absolute path of a name; of {@code .} the directory that the user starts in. */
  String realPath(String path) throws IOException {
    ByteArrayBuffer answer = exchange(request(REALPATH, path), NAME);
    answer.getUInt();
    return answer.getString();
  }

  Attributes attributes(String path) throws IOException {
    return attributes(exchange(request(LSTAT, path), ATTRS));
  }

  /** The names in a directory, without {@code .} and {@code ..}. */
  List<String> list(String path) throws IOException {
    byte[] handle = exchange(request(OPENDIR, path), HANDLE).getBytes();
    List<String> names = new ArrayList<>();
    try {
      while (true) {
        ByteArrayBuffer answer = exchange(request(READDIR, handle), NAME);
        long count = answer.getUInt();
        for (long i = 0; i < count; i++) {
          String name = answer.getString();
          answer.getString();
          attributes(answer);
          if (!name.equals(".") && !name.equals("..")) {
            names.add(name);
          }
          if (names.size() > MOST_NAMES) {
            throw new IOException("too many files in " + path);
          }
        }
      }
    } catch (StatusException e) {
      if (e.code != STATUS_EOF) {
        throw e;
      }
      return names;
    } finally {
      expectOk(request(CLOSE, handle));
    }
  }

  private static Attributes attributes(ByteArrayBuffer buffer) {
    int flags = buffer.getInt();
    if ((flags & ATTR_SIZE) != 0) {
      buffer.getLong();
    }
    long owner = -1;
    if ((flags & ATTR_OWNER) != 0) {
      owner = buffer.getUInt();
      buffer.getUInt();
    }
    int mode = (flags & ATTR_PERMISSIONS) == 0 ? 0 : buffer.getInt();
    if ((flags & ATTR_TIMES) != 0) {
      buffer.getLong();
    }
    if ((flags & ATTR_EXTENDED) != 0) {
      for (long left = buffer.getUInt(); left > 0; left--) {
        buffer.getBytes();
        buffer.getBytes();
      }
    }
    return new Attributes(owner, mode);
  }

  private ByteArrayBuffer request(int type, String path) {
    return request(type, path.getBytes(StandardCharsets.UTF_8));
  }

  private ByteArrayBuffer request(int type, byte[] subject) {
    ByteArrayBuffer request = new ByteArrayBuffer();
    request.putByte((byte) type);
    request.putUInt(++id);
    request.putBytes(subject);
    return request;
  }

  private void expectOk(ByteArrayBuffer request) throws IOException {
    exchange(request, STATUS);
  }

  /** Sends a request; returns what follows the id in an answer of the type expected. */
  private ByteArrayBuffer exchange(ByteArrayBuffer request, int expected) throws IOException {
    try {
      send(request);
      ByteArrayBuffer answer = receive();
      int type = answer.getUByte();
      if (answer.getInt() != id) {
        throw new IOException("an SFTP answer to another request");
      }
      if (type == STATUS) {
        int code = answer.getInt();
        if (code != STATUS_OK || expected != STATUS) {
          throw new StatusException(code, OneLine.of(answer.getString(), 100));
        }
      } else if (type != expected) {
        throw new IOException("an SFTP answer of type " + type);
      }
      return answer;
    } catch (BufferException e) {
      throw new IOException("an SFTP answer that ends too early", e);
    }
  }

  private void send(ByteArrayBuffer packet) throws IOException {
    byte[] body = packet.getCompactData();
    ByteArrayBuffer whole = new ByteArrayBuffer(Integer.BYTES + body.length);
    whole.putBytes(body);
    out.write(whole.getCompactData());
    out.flush();
  }

  private ByteArrayBuffer receive() throws IOException {
    int length = in.readInt();
    if (length < 1 || length > LONGEST_PACKET) {
      throw new IOException("an SFTP packet of " + length + " bytes");
    }
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new EOFException("an SFTP packet that ends too early");
    }
    return new ByteArrayBuffer(body);
  }

  @Override
  public void close() {
    watchdog.interrupt();
    if (closed.compareAndSet(false, true)) {
      channels.close(channel);
    }
  }
}
