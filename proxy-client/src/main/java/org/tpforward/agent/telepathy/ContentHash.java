package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * {@code ContentHash} of a file transfer: tells a damaged file, or a resumed part of another one.
 * No protection from an attacker, who would send the hash as well.
 *
 * @param algorithm Java's name of it
 * @param code {@code File_Hash_Type}
 * @param hex in lower case
 */
record ContentHash(String algorithm, int code, String hex) {
  private static final int MD5 = 1;
  private static final int SHA1 = 2;
  private static final int SHA256 = 3;

  /** Bytes read at once. */
  private static final int BUFFER = 1 << 18;

  /**
   * The hash to offer a file with. XMPP's file transfer (XEP-0096) carries MD5 and no other, and
   * there a hash of another kind would arrive as a wrong MD5.
   *
   * @param channel read from its beginning; its position is left alone
   * @param meter told of the bytes
   */
  static ContentHash of(FileChannel channel, Progress.Meter meter) throws IOException {
    return compute(channel, "MD5", MD5, meter);
  }

  private static ContentHash compute(
      FileChannel channel, String algorithm, int code, Progress.Meter meter) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has it", e);
    }
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    long position = 0;
    while (true) {
      int got = channel.read(buffer.clear(), position);
      if (got < 0) {
        break;
      }
      digest.update(buffer.flip());
      position += got;
      meter.at(position);
    }
    return new ContentHash(algorithm, code, HexFormat.of().formatHex(digest.digest()));
  }

  /** The hash that a channel says; null if it says none that can be checked. */
  static @Nullable ContentHash of(long code, String hex) {
    String algorithm =
        switch ((int) code) {
          case MD5 -> "MD5";
          case SHA1 -> "SHA-1";
          case SHA256 -> "SHA-256";
          default -> "";
        };
    String lower = hex.strip().toLowerCase(Locale.ROOT);
    return algorithm.isEmpty() || !lower.matches("([0-9a-f]{2})+")
        ? null
        : new ContentHash(algorithm, (int) code, lower);
  }

  /** Whether a file's content has this hash. */
  boolean matches(FileChannel channel) throws IOException {
    return compute(channel, algorithm, code, NONE).hex.equals(hex);
  }

  private static final Progress.Meter NONE =
      new Progress.Meter() {
        @Override
        public void at(long position) {}

        @Override
        public void close() {}
      };
}
