package org.tpforward.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.FilePasswordProvider;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The server's own keys: read from files, as ssh-keygen writes them, and made where missing. */
final class HostKeys {
  private static final Logger log = LoggerFactory.getLogger(HostKeys.class);
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.complementOf(
          EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));

  private static final int ED25519_BITS = 256;

  private HostKeys() {}

  /**
   * Reads all; makes the first one, an Ed25519 key, if its file is not there.
   *
   * @throws ServerException if one cannot be used
   */
  static List<KeyPair> load(List<Path> files) throws ServerException {
    List<KeyPair> keys = new ArrayList<>();
    for (Path file : files) {
      try {
        if (keys.isEmpty() && !Files.exists(file)) {
          make(file);
        }
        keys.add(read(file));
      } catch (IOException | GeneralSecurityException e) {
        throw new ServerException("the host key " + file + " cannot be used: " + words(e), e);
      }
    }
    return keys;
  }

  private static String words(Exception e) {
    return e instanceof java.nio.file.FileSystemException fs
        ? fs.getClass().getSimpleName() + (fs.getReason() == null ? "" : " " + fs.getReason())
        : String.valueOf(e.getMessage());
  }

  private static KeyPair read(Path file) throws IOException, GeneralSecurityException {
    Set<PosixFilePermission> open = EnumSet.noneOf(PosixFilePermission.class);
    open.addAll(Files.getPosixFilePermissions(file));
    open.retainAll(OTHERS);
    if (!open.isEmpty()) {
      throw new IOException("others may read it; chmod 600 it");
    }
    try (var in = Files.newInputStream(file)) {
      Iterable<KeyPair> pairs =
          SecurityUtils.loadKeyPairIdentities(
              null, NamedResource.ofName(file.toString()), in, FilePasswordProvider.EMPTY);
      if (pairs != null) {
        for (KeyPair pair : pairs) {
          return pair;
        }
      }
    }
    throw new IOException("there is no private key in it");
  }

  private static void make(Path file) throws IOException, GeneralSecurityException {
    KeyPair pair = KeyUtils.generateKeyPair(KeyPairProvider.SSH_ED25519, ED25519_BITS);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(pair, "tpforward-server", null, text);
    Path absolute = file.toAbsolutePath();
    Path directory = absolute.getParent();
    // Whole or not at all, and never open to others.
    Path made =
        Files.createTempFile(
            directory,
            ".host-key",
            "",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.write(made, text.toByteArray(), StandardOpenOption.SYNC);
      Files.createLink(absolute, made);
    } catch (FileAlreadyExistsException e) {
      // Another server was faster: that key is as good.
    } finally {
      Files.delete(made);
    }
    log.info("made the host key {}", file);
  }

  /** {@code ED25519 SHA256:…}, as ssh shows it. */
  static String describe(KeyPair pair) {
    String type = KeyUtils.getKeyType(pair.getPublic()).replaceAll("^ssh-|-sha2-.*$", "");
    return type + " " + KeyUtils.getFingerPrint(pair.getPublic());
  }
}
