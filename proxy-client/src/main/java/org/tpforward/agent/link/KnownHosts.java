package org.tpforward.agent.link;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The lines of known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Immutable. */
final class KnownHosts {
  private static final Logger log = LoggerFactory.getLogger(KnownHosts.class);
  private static final long LONGEST_FILE = 64L << 20;
  private static final String HASH = "|1|";

  /** What a line says about its key. */
  enum Kind {
    /** It is the host's. */
    HOST,
    /** It signs the certificates of such hosts. */
    AUTHORITY,
    /** It is never to be accepted. */
    REVOKED
  }

  /**
   * One line that names the host asked for.
   *
   * @param type the key's type, as in the key itself
   * @param key the key in SSH's wire format, in base64
   * @param where file and line number, for messages
   */
  record Entry(Kind kind, String type, String key, String where) {
    boolean holds(byte[] blob) {
      return key.equals(Base64.getEncoder().encodeToString(blob));
    }
  }

  private record Line(Kind kind, String hosts, String type, String key, String where) {}

  private final List<Line> lines;

  private KnownHosts(List<Line> lines) {
    this.lines = lines;
  }

  /** Reads all files that exist; a line that is not understood is left out, as ssh does. */
  static KnownHosts read(List<Path> files) {
    List<Line> lines = new ArrayList<>();
    for (Path file : files) {
      try {
        if (!Files.isRegularFile(file)) {
          continue;
        }
        if (Files.size(file) > LONGEST_FILE) {
          throw new IOException("the file is too long");
        }
        int number = 0;
        for (String text : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
          Line line = parse(text, file + ":" + ++number);
          if (line != null) {
            lines.add(line);
          }
        }
      } catch (IOException e) {
        log.warn("{} cannot be read: {}", file, e.toString());
      }
    }
    return new KnownHosts(List.copyOf(lines));
  }

  /** The entries of a host: a name, {@code [name]:port} or an alias. */
  List<Entry> of(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    return lines.stream()
        .filter(line -> names(line.hosts, name))
        .map(line -> new Entry(line.kind, line.type, line.key, line.where))
        .toList();
  }

  private static @Nullable Line parse(String text, String where) {
    String line = text.strip();
    if (line.isEmpty() || line.startsWith("#")) {
      return null;
    }
    String[] fields = line.split("\\s+", 5);
    Kind kind = Kind.HOST;
    int at = 0;
    if (fields[0].startsWith("@")) {
      switch (fields[0]) {
        case "@cert-authority" -> kind = Kind.AUTHORITY;
        case "@revoked" -> kind = Kind.REVOKED;
        default -> {
          return null;
        }
      }
      at = 1;
    }
    if (fields.length < at + 3) {
      return null;
    }
    try {
      String key = Base64.getEncoder().encodeToString(Base64.getDecoder().decode(fields[at + 2]));
      return new Line(kind, fields[at], fields[at + 1], key, where);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static boolean names(String hosts, String name) {
    if (hosts.startsWith(HASH)) {
      return hashNames(hosts, name);
    }
    return Wildcards.matchesList(List.of(hosts.split(",", -1)), name);
  }

  private static boolean hashNames(String hosts, String name) {
    String[] parts = hosts.substring(HASH.length()).split("\\|", -1);
    if (parts.length != 2) {
      return false;
    }
    try {
      byte[] salt = Base64.getDecoder().decode(parts[0]);
      byte[] hash = Base64.getDecoder().decode(parts[1]);
      return MessageDigest.isEqual(hash, hmac(salt, name));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** The name of a host as HashKnownHosts writes it. */
  static String hashed(String name, byte[] salt) {
    Base64.Encoder base64 = Base64.getEncoder();
    return HASH
        + base64.encodeToString(salt)
        + "|"
        + base64.encodeToString(hmac(salt, name.toLowerCase(Locale.ROOT)));
  }

  private static byte[] hmac(byte[] salt, String name) {
    try {
      Mac mac = Mac.getInstance("HmacSHA1");
      mac.init(new SecretKeySpec(salt, "HmacSHA1"));
      return mac.doFinal(name.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("an empty salt", e);
    }
  }
}
