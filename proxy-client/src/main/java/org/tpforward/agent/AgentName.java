package org.tpforward.agent;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The names of agents: each is a directory's name and a word on command lines. */
public final class AgentName {
  /** Characters of a name; sockets within its directory must fit into 107 bytes. */
  public static final int MAX_LENGTH = 32;

  private static final Pattern VALID = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,31}");
  private static final Pattern UNFIT = Pattern.compile("[^A-Za-z0-9._-]+");
  private static final int HASH_DIGITS = 6;

  private AgentName() {}

  /** What is wrong with a name, a few words; null if nothing is. */
  public static @Nullable String problem(String name) {
    return VALID.matcher(name).matches()
        ? null
        : "an agent's name is 1 to 32 of A-Z a-z 0-9 . _ -, and starts with neither . nor -";
  }

  /**
   * The name of an agent that was given none: the destination with what does not fit replaced, so
   * that {@code alice@example.org:2222} gives {@code alice-example.org-2222}. What is too long is
   * cut, and told apart by a hash.
   */
  public static String of(String destination) {
    String bare =
        destination.startsWith("ssh://") ? destination.substring("ssh://".length()) : destination;
    String name = UNFIT.matcher(bare).replaceAll("-");
    int start = 0;
    while (start < name.length() && (name.charAt(start) == '-' || name.charAt(start) == '.')) {
      start++;
    }
    int end = name.length();
    while (end > start && name.charAt(end - 1) == '-') {
      end--;
    }
    name = name.substring(start, end);
    if (name.isEmpty()) {
      return "agent";
    }
    if (name.length() <= MAX_LENGTH) {
      return name;
    }
    return name.substring(0, MAX_LENGTH - HASH_DIGITS - 1) + "-" + hash(destination);
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, HASH_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
