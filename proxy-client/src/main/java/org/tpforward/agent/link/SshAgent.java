package org.tpforward.agent.link;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import org.apache.sshd.common.util.buffer.BufferException;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;

/**
 * A connection to an ssh-agent (draft-miller-ssh-agent, section 4). One request at a time; a
 * signature may take as long as the agent's user needs to confirm it.
 */
final class SshAgent implements Closeable {
  private static final int REQUEST_IDENTITIES = 11;
  private static final int IDENTITIES_ANSWER = 12;
  private static final int SIGN_REQUEST = 13;
  private static final int SIGN_RESPONSE = 14;
  private static final int RSA_SHA2_256 = 2;
  private static final int RSA_SHA2_512 = 4;
  private static final int LONGEST_MESSAGE = 256 << 10;
  private static final int MOST_KEYS = 2048;

  /** One key or certificate that the agent holds. */
  record Key(PublicKey key, String comment) {}

  private final SocketChannel channel;

  private SshAgent(SocketChannel channel) {
    this.channel = channel;
  }

  /** Connects; the caller closes. */
  static SshAgent connect(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      return new SshAgent(channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** The keys, in the agent's order; those of types that are not known here are left out. */
  List<Key> keys() throws IOException {
    ByteArrayBuffer request = new ByteArrayBuffer();
    request.putByte((byte) REQUEST_IDENTITIES);
    ByteArrayBuffer answer = request(request, IDENTITIES_ANSWER);
    List<Key> keys = new ArrayList<>();
    try {
      long count = answer.getUInt();
      if (count > MOST_KEYS) {
        throw new IOException("the ssh-agent says that it has " + count + " keys");
      }
      for (long i = 0; i < count; i++) {
        byte[] blob = answer.getBytes();
        String comment = answer.getString();
        PublicKey key = KeyFile.publicKey(blob);
        if (key != null) {
          keys.add(new Key(key, comment));
        }
      }
    } catch (BufferException e) {
      throw new IOException("the ssh-agent's answer ends too early", e);
    }
    return keys;
  }

  /**
   * Signs.
   *
   * @param key one of {@link #keys}
   * @param algorithm the signature algorithm, as for a key that is no certificate
   * @return the signature without the algorithm's name; of a security key with flags and counter
   */
  byte[] sign(PublicKey key, String algorithm, byte[] data) throws IOException {
    ByteArrayBuffer request = new ByteArrayBuffer();
    request.putByte((byte) SIGN_REQUEST);
    request.putPublicKey(key);
    request.putBytes(data);
    request.putUInt(
        switch (algorithm) {
          case "rsa-sha2-512" -> RSA_SHA2_512;
          case "rsa-sha2-256" -> RSA_SHA2_256;
          default -> 0;
        });
    ByteArrayBuffer answer = request(request, SIGN_RESPONSE);
    try {
      ByteArrayBuffer signature = new ByteArrayBuffer(answer.getBytes());
      String made = signature.getString();
      if (!made.equals(algorithm)) {
        throw new IOException("the ssh-agent signed with " + OneLine.of(made, 60));
      }
      return made.startsWith("sk-") ? signature.getCompactData() : signature.getBytes();
    } catch (BufferException e) {
      throw new IOException("the ssh-agent's signature ends too early", e);
    }
  }

  private ByteArrayBuffer request(ByteArrayBuffer message, int expected) throws IOException {
    byte[] body = message.getCompactData();
    ByteBuffer out = ByteBuffer.allocate(Integer.BYTES + body.length).putInt(body.length).put(body);
    out.flip();
    while (out.hasRemaining()) {
      channel.write(out);
    }
    int length = read(Integer.BYTES).getInt();
    if (length < 1 || length > LONGEST_MESSAGE) {
      throw new IOException("the ssh-agent sent a message of " + length + " bytes");
    }
    ByteArrayBuffer answer = new ByteArrayBuffer(read(length).array());
    if (answer.getUByte() != expected) {
      throw new IOException("the ssh-agent refused");
    }
    return answer;
  }

  private ByteBuffer read(int count) throws IOException {
    ByteBuffer in = ByteBuffer.allocate(count);
    while (in.hasRemaining()) {
      if (channel.read(in) < 0) {
        throw new EOFException("the ssh-agent hung up");
      }
    }
    return in.flip();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
