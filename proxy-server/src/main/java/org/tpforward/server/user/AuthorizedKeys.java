package org.tpforward.server.user;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.config.keys.PublicKeyEntryResolver;

/**
 * The keys of a file in the format of authorized_keys (sshd(8)): lines of options, key type, key
 * and comment. A line that cannot be used is left out and told of; a file that cannot be read is an
 * error.
 */
final class AuthorizedKeys {
  /** One key. */
  record Line(int number, KeyOptions options, PublicKey key) {}

  /** What is wrong with a line. */
  record Problem(int number, String what) {}

  private static final int MOST_LINES = 100_000;
  private static final int LONGEST_LINE = 64 << 10;
  private static final int SHORTEST_RSA = 2048;
  private static final Set<String> TYPES =
      Set.of(
          "ssh-ed25519",
          "ssh-rsa",
          "ecdsa-sha2-nistp256",
          "ecdsa-sha2-nistp384",
          "ecdsa-sha2-nistp521",
          "sk-ssh-ed25519@openssh.com",
          "sk-ecdsa-sha2-nistp256@openssh.com");

  private final List<Line> lines;
  private final List<Problem> problems;

  private AuthorizedKeys(List<Line> lines, List<Problem> problems) {
    this.lines = List.copyOf(lines);
    this.problems = List.copyOf(problems);
  }

  /** Without any key. */
  static AuthorizedKeys none() {
    return new AuthorizedKeys(List.of(), List.of());
  }

  /**
   * Reads a file.
   *
   * @throws IOException if it cannot be read, or is no such file at all: the message names it
   */
  static AuthorizedKeys read(Path file) throws IOException {
    List<Line> lines = new ArrayList<>();
    List<Problem> problems = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      int number = 0;
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        if (++number > MOST_LINES || text.length() > LONGEST_LINE) {
          throw new IOException(file + ", line " + number + ": too long for a file of keys");
        }
        String line = text.strip();
        if (line.isEmpty() || line.startsWith("#")) {
          continue;
        }
        try {
          lines.add(parse(number, line));
        } catch (IllegalArgumentException e) {
          problems.add(new Problem(number, String.valueOf(e.getMessage())));
        }
      }
    } catch (java.nio.charset.CharacterCodingException e) {
      throw new IOException(file + " is no text", e);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new IOException(file + " does not exist", e);
    } catch (java.nio.file.AccessDeniedException e) {
      throw new IOException(file + " cannot be read: permission denied", e);
    }
    return new AuthorizedKeys(lines, problems);
  }

  private static Line parse(int number, String line) {
    int blank = wordEnd(line);
    if (TYPES.contains(line.substring(0, blank))) {
      return new Line(number, KeyOptions.NONE, key(line));
    }
    KeyOptions options = KeyOptions.parse(line.substring(0, blank));
    return new Line(number, options, key(line.substring(blank).strip()));
  }

  /** Where the first blank outside of quotes is. */
  private static int wordEnd(String line) {
    boolean quoted = false;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == '"' && (i == 0 || line.charAt(i - 1) != '\\')) {
        quoted = !quoted;
      } else if ((c == ' ' || c == '\t') && !quoted) {
        return i;
      }
    }
    return line.length();
  }

  private static PublicKey key(String text) {
    String[] words = text.split("\\s+", 3);
    if (words.length < 2 || !TYPES.contains(words[0])) {
      throw new IllegalArgumentException("no key of a kind that this server takes");
    }
    PublicKey key;
    try {
      key =
          PublicKeyEntry.parsePublicKeyEntry(words[0] + " " + words[1])
              .resolvePublicKey(null, Map.of(), PublicKeyEntryResolver.FAILING);
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      throw new IllegalArgumentException("the key is damaged", e);
    }
    if (key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() < SHORTEST_RSA) {
      throw new IllegalArgumentException("an RSA key of under " + SHORTEST_RSA + " bits");
    }
    return key;
  }

  /** The lines with that key. */
  Stream<Line> with(PublicKey key) {
    return lines.stream().filter(line -> KeyUtils.compareKeys(line.key, key));
  }

  /** How many keys there are. */
  int size() {
    return lines.size();
  }

  /** The lines that were left out. */
  List<Problem> problems() {
    return problems;
  }
}
