package org.tpforward.agent.link;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes {@link SshConfig} of a configuration's text. */
final class ConfigExpansion {
  private static final List<String> METHODS =
      List.of("publickey", "keyboard-interactive", "password");
  private static final List<String> DEFAULT_KEYS =
      List.of("~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ed25519");

  private final LinkOptions options;
  private final UserEnvironment environment;
  private final ConfigValues values;
  private final ConfigValues defaults;
  private final Map<Character, String> tokens = new HashMap<>();

  private ConfigExpansion(
      LinkOptions options,
      UserEnvironment environment,
      ConfigValues values,
      ConfigValues defaults) {
    this.options = options;
    this.environment = environment;
    this.values = values;
    this.defaults = defaults;
  }

  /**
   * @param values what holds for the destination
   * @param defaults what would hold without any configuration: a value that differs is the user's
   *     choice
   */
  static SshConfig expand(
      LinkOptions options, UserEnvironment environment, ConfigValues values, ConfigValues defaults)
      throws LinkException {
    return new ConfigExpansion(options, environment, values, defaults).expand();
  }

  private SshConfig expand() throws LinkException {
    String original = options.destination().host();
    String named = values.some("HostName");
    String host = named == null ? original : ConfigTokens.percent(named, Map.of('h', original));
    int port = values.number("Port", 22);
    String configuredUser = values.some("User");
    String user = configuredUser == null ? environment.user() : configuredUser;
    String alias = values.some("HostKeyAlias");
    fillTokens(original, host, port, user, alias);
    boolean explicit =
        values.has("IdentityFile")
            && !values.all("IdentityFile").equals(defaults.all("IdentityFile"));
    List<String> identities =
        values.has("IdentityFile") ? values.all("IdentityFile") : DEFAULT_KEYS;
    int timeout = values.seconds("ConnectTimeout");
    int alive = values.seconds("ServerAliveInterval");
    return new SshConfig(
        host,
        port,
        user,
        alias == null ? null : alias.toLowerCase(Locale.ROOT),
        paths(identities),
        explicit,
        paths(values.all("CertificateFile")),
        agent(),
        values.flag("IdentitiesOnly", false),
        values.flag("BatchMode", false),
        words("UserKnownHostsFile", "~/.ssh/known_hosts ~/.ssh/known_hosts2"),
        words("GlobalKnownHostsFile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"),
        strict(values.first("StrictHostKeyChecking")),
        values.flag("HashKnownHosts", false),
        proxy(),
        timeout == 0 ? null : Duration.ofSeconds(timeout),
        alive == 0 ? null : Duration.ofSeconds(alive),
        Math.max(1, values.number("ServerAliveCountMax", 3)),
        Math.max(1, values.number("NumberOfPasswordPrompts", 3)),
        methods(),
        new SshConfig.Algorithms(
            chosen("Ciphers"),
            chosen("MACs"),
            chosen("KexAlgorithms"),
            chosen("HostKeyAlgorithms"),
            chosen("PubkeyAcceptedAlgorithms")));
  }

  private void fillTokens(
      String original, String host, int port, String user, @Nullable String alias) {
    String local = localHostName();
    tokens.put('h', host);
    tokens.put('n', original);
    tokens.put('p', Integer.toString(port));
    tokens.put('r', user);
    tokens.put('k', alias == null ? original : alias);
    tokens.put('d', environment.home().toString());
    tokens.put('u', environment.user());
    tokens.put('i', localUid());
    tokens.put('l', local);
    tokens.put('L', local.split("\\.", -1)[0]);
    String jump = values.some("ProxyJump");
    tokens.put('j', jump == null ? "" : jump);
    tokens.put('C', sha1(local + host + port + user + tokens.get('j')));
  }

  private static String localHostName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      return InetAddress.getLoopbackAddress().getHostName();
    }
  }

  private static String localUid() {
    try {
      return String.valueOf(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException | UnsupportedOperationException e) {
      return "0";
    }
  }

  private static String sha1(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private @Nullable Path agent() throws LinkException {
    String value = values.first("IdentityAgent");
    if (value == null || value.equals("SSH_AUTH_SOCK")) {
      String socket = environment.variable("SSH_AUTH_SOCK");
      return socket == null ? null : path(socket);
    }
    if (value.equalsIgnoreCase("none")) {
      return null;
    }
    if (value.startsWith("$") && !value.startsWith("${")) {
      String socket = environment.variable(value.substring(1));
      return socket == null ? null : path(socket);
    }
    String expanded = expandPath(value);
    return expanded == null ? null : path(expanded);
  }

  private List<Path> paths(List<String> texts) throws LinkException {
    List<Path> paths = new ArrayList<>();
    for (String text : texts) {
      String expanded = text.equalsIgnoreCase("none") ? null : expandPath(text);
      if (expanded != null) {
        paths.add(path(expanded));
      }
    }
    return List.copyOf(paths);
  }

  private List<Path> words(String keyword, String otherwise) throws LinkException {
    String value = values.first(keyword);
    String all = value == null ? otherwise : value;
    return paths(List.of(all.strip().split("\\s+", -1)));
  }

  private @Nullable String expandPath(String text) {
    String expanded =
        ConfigTokens.variables(
            ConfigTokens.home(ConfigTokens.percent(text, tokens), environment), environment);
    // ssh itself has put the home directory of the password database into some of these.
    String home = System.getProperty("user.home");
    return expanded != null
            && expanded.startsWith(home + "/")
            && !environment.home().toString().equals(home)
            && !expanded.startsWith(environment.home() + "/")
        ? environment.home() + expanded.substring(home.length())
        : expanded;
  }

  private static Path path(String text) throws LinkException {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new LinkException(
          LinkException.Cause.CONFIGURATION, "not a path: " + OneLine.of(text, 200), e);
    }
  }

  private static SshConfig.StrictHostKeys strict(@Nullable String value) {
    return switch (value == null ? "ask" : value.toLowerCase(Locale.ROOT)) {
      case "yes", "true" -> SshConfig.StrictHostKeys.YES;
      case "accept-new" -> SshConfig.StrictHostKeys.ACCEPT_NEW;
      case "no", "off", "false" -> SshConfig.StrictHostKeys.NO;
      default -> SshConfig.StrictHostKeys.ASK;
    };
  }

  private @Nullable String proxy() throws LinkException {
    String command = values.some("ProxyCommand");
    if (command != null) {
      if (values.flag("ProxyUseFdpass", false)) {
        throw new LinkException(
            LinkException.Cause.CONFIGURATION,
            "ProxyUseFdpass is not supported: use a ProxyCommand that copies the bytes itself");
      }
      return ConfigTokens.percent(command, tokens);
    }
    String jump = values.some("ProxyJump");
    return jump == null
        ? null
        : ConfigTokens.percent(ProxyJump.command(jump, options, environment), tokens);
  }

  private List<String> methods() {
    String preferred = values.some("PreferredAuthentications");
    List<String> wanted = preferred == null ? METHODS : List.of(preferred.split("[,\\s]+", -1));
    boolean keyboard =
        values.flag(
            "KbdInteractiveAuthentication", values.flag("ChallengeResponseAuthentication", true));
    return wanted.stream()
        .filter(METHODS::contains)
        .filter(m -> !m.equals("publickey") || values.flag("PubkeyAuthentication", true))
        .filter(m -> !m.equals("password") || values.flag("PasswordAuthentication", true))
        .filter(m -> !m.equals("keyboard-interactive") || keyboard)
        .toList();
  }

  private List<String> chosen(String keyword) {
    String value = values.some(keyword);
    if (value == null || value.equals(defaults.first(keyword))) {
      return List.of();
    }
    return List.of(value.split(",", -1));
  }
}
