package org.tpforward.server.user;

import java.net.InetAddress;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The options before a key in authorized_keys (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
 *
 * <p>Options that take away what this server does not have (restrict, no-pty, …) change nothing.
 * One that this server cannot obey makes the line unusable, as in OpenSSH: who writes {@code
 * command=} or {@code permitopen=} means to limit the key.
 *
 * @param certAuthority whether the key signs certificates, rather than logging in
 * @param principals of {@code principals=}; empty if not given
 * @param from null for from anywhere
 * @param expiry null for never; from then on the key is refused
 * @param environment of {@code environment=}; names that begin with TPFORWARD_ mean something
 */
record KeyOptions(
    boolean certAuthority,
    List<String> principals,
    @Nullable AddressPatterns from,
    @Nullable Instant expiry,
    Map<String, String> environment) {
  static final KeyOptions NONE = new KeyOptions(false, List.of(), null, null, Map.of());

  private static final int MOST = 64;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMddHHmmss", Locale.ROOT)
          .withResolverStyle(ResolverStyle.STRICT);

  /**
   * Reads them.
   *
   * @param text up to the blank before the key type
   * @throws IllegalArgumentException saying which one is wrong, or cannot be obeyed
   */
  static KeyOptions parse(String text) {
    boolean certAuthority = false;
    List<String> principals = new ArrayList<>();
    AddressPatterns from = null;
    Instant expiry = null;
    Map<String, String> environment = new LinkedHashMap<>();
    for (String option : split(text)) {
      int equals = option.indexOf('=');
      String name = (equals < 0 ? option : option.substring(0, equals)).toLowerCase(Locale.ROOT);
      String value = equals < 0 ? "" : unquote(name, option.substring(equals + 1));
      switch (name) {
        case "cert-authority" -> certAuthority = true;
        case "principals" -> principals.addAll(List.of(value.split(",", -1)));
        case "from" -> {
          if (from != null) {
            throw new IllegalArgumentException("from= is given twice");
          }
          from = AddressPatterns.parse(value);
        }
        case "expiry-time" -> {
          Instant time = time(value);
          expiry = expiry == null || time.isBefore(expiry) ? time : expiry;
        }
        case "environment" -> {
          int at = value.indexOf('=');
          if (at < 1) {
            throw new IllegalArgumentException("environment= is not NAME=VALUE");
          }
          environment.putIfAbsent(value.substring(0, at), value.substring(at + 1));
        }
        case "restrict",
            "agent-forwarding",
            "no-agent-forwarding",
            "x11-forwarding",
            "no-x11-forwarding",
            "pty",
            "no-pty",
            "user-rc",
            "no-user-rc",
            "port-forwarding",
            "no-touch-required" -> {}
        case "no-port-forwarding" ->
            throw new IllegalArgumentException(
                "no-port-forwarding leaves nothing that this server gives");
        default -> throw new IllegalArgumentException("this server cannot obey the option " + name);
      }
    }
    return new KeyOptions(
        certAuthority, List.copyOf(principals), from, expiry, Map.copyOf(environment));
  }

  /** At commas outside of quotes. */
  private static List<String> split(String text) {
    List<String> options = new ArrayList<>();
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i == text.length() || (text.charAt(i) == ',' && !quoted)) {
        if (i == start || options.size() == MOST) {
          throw new IllegalArgumentException(
              i == start ? "an empty option" : "over " + MOST + " options");
        }
        options.add(text.substring(start, i));
        start = i + 1;
      } else if (text.charAt(i) == '"' && (i == 0 || text.charAt(i - 1) != '\\')) {
        quoted = !quoted;
      }
    }
    if (quoted) {
      throw new IllegalArgumentException("a quote is not closed");
    }
    return options;
  }

  private static String unquote(String name, String value) {
    if (value.length() < 2 || !value.startsWith("\"") || !value.endsWith("\"")) {
      throw new IllegalArgumentException("the value of " + name + "= is not in quotes");
    }
    return value.substring(1, value.length() - 1).replace("\\\"", "\"");
  }

  /** {@code YYYYMMDD[HHMM[SS]][Z]}, in the system's zone without the Z. */
  private static Instant time(String text) {
    boolean utc = text.endsWith("Z");
    String digits = utc ? text.substring(0, text.length() - 1) : text;
    String full =
        switch (digits.length()) {
          case 8 -> digits + "000000";
          case 12 -> digits + "00";
          default -> digits;
        };
    try {
      return LocalDateTime.parse(full, TIME)
          .atZone(utc ? ZoneOffset.UTC : ZoneId.systemDefault())
          .toInstant();
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("not a time: expiry-time=\"" + text + "\"", e);
    }
  }

  /**
   * Why the key is of no use now from there.
   *
   * @return null if it is
   */
  @Nullable String refusal(InetAddress address, Instant now) {
    if (expiry != null && !now.isBefore(expiry)) {
      return "the key has expired (" + expiry + ")";
    }
    if (from != null && !from.allow(address)) {
      return "the key may not be used from " + address.getHostAddress();
    }
    return null;
  }
}
