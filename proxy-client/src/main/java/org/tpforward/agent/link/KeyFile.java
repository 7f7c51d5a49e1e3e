package org.tpforward.agent.link;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.SshException;
import org.apache.sshd.common.config.keys.FilePasswordProvider;
import org.apache.sshd.common.util.buffer.BufferException;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A private key in a file: OpenSSH's format, PEM (PKCS#1, SEC 1, PKCS#8). */
final class KeyFile {
  private static final Logger log = LoggerFactory.getLogger(KeyFile.class);
  private static final long LONGEST_FILE = 1 << 20;
  private static final String OPENSSH_BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
  private static final String OPENSSH_END = "-----END OPENSSH PRIVATE KEY-----";
  private static final byte[] OPENSSH_MAGIC =
      "openssh-key-v1\0".getBytes(StandardCharsets.US_ASCII);

  private final Path file;

  KeyFile(Path file) {
    this.file = file;
  }

  Path file() {
    return file;
  }

  /**
   * The public key without asking for a passphrase: from the file beside it, or from the head of an
   * OpenSSH file. Null if neither tells.
   */
  @Nullable PublicKey publicKey() {
    PublicKey beside = readPublic(Path.of(file + ".pub"));
    if (beside != null) {
      return beside;
    }
    // As for ssh, -i may name the public half of a key that the agent holds.
    PublicKey itself = readPublic(file);
    if (itself != null) {
      return itself;
    }
    try {
      String text = read();
      int start = text.indexOf(OPENSSH_BEGIN);
      int end = text.indexOf(OPENSSH_END);
      return start < 0 || end < start
          ? null
          : fromOpenssh(
              Base64.getMimeDecoder().decode(text.substring(start + OPENSSH_BEGIN.length(), end)));
    } catch (IOException | IllegalArgumentException e) {
      return null;
    }
  }

  /** OpenSSH's PROTOCOL.key, section 1: the public keys stand before what is encrypted. */
  private static @Nullable PublicKey fromOpenssh(byte[] key) {
    if (key.length < OPENSSH_MAGIC.length) {
      return null;
    }
    ByteArrayBuffer buffer = new ByteArrayBuffer(key);
    byte[] magic = new byte[OPENSSH_MAGIC.length];
    try {
      buffer.getRawBytes(magic);
      if (!java.util.Arrays.equals(magic, OPENSSH_MAGIC)) {
        return null;
      }
      buffer.getString(); // cipher
      buffer.getString(); // key derivation
      buffer.getBytes(); // its options
      return buffer.getUInt() < 1 ? null : publicKey(buffer.getBytes());
    } catch (BufferException e) {
      return null;
    }
  }

  /** The certificate beside the key ({@code -cert.pub}), or null. */
  @Nullable PublicKey certificate() {
    return readPublic(Path.of(file + "-cert.pub"));
  }

  /** A public key or a certificate from a file of one line, or null if there is none in it. */
  static @Nullable PublicKey readPublic(Path file) {
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > LONGEST_FILE) {
        return null;
      }
      for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
        String[] fields = line.strip().split("\\s+", 3);
        if (fields.length >= 2 && !fields[0].startsWith("#")) {
          return publicKey(Base64.getDecoder().decode(fields[1]));
        }
      }
      return null;
    } catch (IOException | IllegalArgumentException e) {
      log.debug("{} holds no public key", file, e);
      return null;
    }
  }

  /** A public key or certificate in SSH's wire format; null if its type is not known here. */
  static @Nullable PublicKey publicKey(byte[] blob) {
    try {
      return new ByteArrayBuffer(blob).getRawPublicKey();
    } catch (SshException | RuntimeException e) {
      log.debug("a public key is not understood: {}", e.toString());
      return null;
    }
  }

  /**
   * Reads the private key, asking for a passphrase if it has one.
   *
   * @param attempts how often to ask
   * @param unlocked keys whose passphrase was given before; this one is added
   * @throws IOException with one line for the user, if there is no key to be had
   */
  KeyPair load(Prompts prompts, int attempts, Map<Path, KeyPair> unlocked) throws IOException {
    KeyPair before = unlocked.get(file);
    if (before != null) {
      return before;
    }
    refuseIfOthersCanRead();
    byte[] text = read().getBytes(StandardCharsets.ISO_8859_1);
    for (int attempt = 1; ; attempt++) {
      AtomicBoolean asked = new AtomicBoolean();
      AtomicBoolean answered = new AtomicBoolean();
      FilePasswordProvider passphrase =
          (session, resource, retry) -> {
            asked.set(true);
            String answer = prompts.ask("Enter passphrase for key '" + file + "': ", false);
            answered.set(answer != null && !answer.isEmpty());
            return answer;
          };
      try {
        for (KeyPair pair :
            SecurityUtils.loadKeyPairIdentities(
                null,
                NamedResource.ofName(file.toString()),
                new ByteArrayInputStream(text),
                passphrase)) {
          if (asked.get()) {
            unlocked.put(file, pair);
          }
          return pair;
        }
        throw new IOException("there is no key in it");
      } catch (IOException | GeneralSecurityException | RuntimeException e) {
        if (!asked.get()) {
          throw new IOException(file + " cannot be used: " + OneLine.of(e.toString(), 200), e);
        }
        if (!answered.get()) {
          throw new IOException(file + " is encrypted, and no passphrase was given", e);
        }
        if (attempt >= attempts) {
          throw new IOException(file + " is encrypted, and the passphrase was wrong", e);
        }
      }
    }
  }

  private String read() throws IOException {
    if (Files.size(file) > LONGEST_FILE) {
      throw new IOException(file + " is too long for a key");
    }
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }

  private void refuseIfOthersCanRead() throws IOException {
    Set<PosixFilePermission> open =
        Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);
    if (Files.getPosixFilePermissions(file).stream().anyMatch(open::contains)) {
      throw new IOException(
          file + " is not used, because others can read it: chmod 600 '" + file + "'");
    }
  }
}
