package org.tpforward.agent.link;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads ssh_config(5) files where ssh is not there to do it: Host, Match (all, host, originalhost,
 * user, localuser) and Include. The first value of a keyword counts; of IdentityFile and
 * CertificateFile all do.
 */
final class SshConfigFile {
  private static final Logger log = LoggerFactory.getLogger(SshConfigFile.class);
  private static final Set<String> MANY = Set.of("identityfile", "certificatefile");
  private static final int DEEPEST = 16;
  private static final long LONGEST_FILE = 1 << 20;
  private static final Pattern KEYWORD = Pattern.compile("\\s*(\\w+)(?:\\s*=\\s*|\\s+)(.*?)\\s*");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  private final Destination destination;
  private final UserEnvironment environment;
  private final ConfigValues values = new ConfigValues();

  private SshConfigFile(Destination destination, UserEnvironment environment) {
    this.destination = destination;
    this.environment = environment;
  }

  static ConfigValues read(LinkOptions options, UserEnvironment environment) throws LinkException {
    SshConfigFile config = new SshConfigFile(options.destination(), environment);
    if (options.port() != 0) {
      config.set("Port", Integer.toString(options.port()));
    }
    options.identities().forEach(file -> config.set("IdentityFile", file));
    for (String option : options.options()) {
      Matcher line = KEYWORD.matcher(option);
      if (!line.matches()) {
        throw new LinkException(
            LinkException.Cause.CONFIGURATION,
            "not a configuration option: " + OneLine.of(option, 100));
      }
      config.set(line.group(1), line.group(2));
    }
    if (options.destination().port() != 0) {
      config.set("Port", Integer.toString(options.destination().port()));
    }
    if (options.destination().user() != null) {
      config.set("User", options.destination().user());
    }
    String file = SshConfigReader.configFile(options, environment);
    if (file == null) {
      config.include(environment.home().resolve(".ssh/config"), false, true, 0);
      config.include(Path.of("/etc/ssh/ssh_config"), false, true, 0);
    } else if (!file.equalsIgnoreCase("none")) {
      config.include(Path.of(file), true, true, 0);
    }
    return config.values;
  }

  private void set(String keyword, String value) {
    if (MANY.contains(keyword.toLowerCase(Locale.ROOT)) || !values.has(keyword)) {
      values.add(keyword, value);
    }
  }

  private void include(Path file, boolean needed, boolean active, int depth) throws LinkException {
    List<String> lines;
    try {
      if (!needed && !Files.exists(file)) {
        return;
      }
      if (Files.size(file) > LONGEST_FILE) {
        throw new IOException("the file is too long");
      }
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new LinkException(
          LinkException.Cause.CONFIGURATION,
          "the ssh configuration cannot be read: " + file + ": " + e.getMessage(),
          e);
    }
    boolean matching = active;
    for (String line : lines) {
      Matcher parts = KEYWORD.matcher(line);
      if (line.isBlank() || line.stripLeading().startsWith("#") || !parts.matches()) {
        continue;
      }
      String keyword = parts.group(1).toLowerCase(Locale.ROOT);
      String value = parts.group(2);
      switch (keyword) {
        case "host" -> matching = active && matchesAny(words(value), destination.host());
        case "match" -> matching = active && matches(words(value));
        case "include" -> includeAll(words(value), matching, depth);
        default -> {
          if (matching) {
            set(keyword, plain(value));
          }
        }
      }
    }
  }

  private static String plain(String value) {
    List<String> words = words(value);
    return value.startsWith("\"") && words.size() == 1 ? words.getFirst() : value;
  }

  private void includeAll(List<String> patterns, boolean active, int depth) throws LinkException {
    if (depth >= DEEPEST) {
      throw new LinkException(
          LinkException.Cause.CONFIGURATION,
          "Include is nested too deeply in the ssh configuration");
    }
    for (String pattern : patterns) {
      Path path = Path.of(ConfigTokens.home(pattern, environment));
      Path absolute = environment.home().resolve(".ssh").resolve(path);
      for (Path file : glob(absolute)) {
        include(file, false, active, depth + 1);
      }
    }
  }

  private static List<Path> glob(Path pattern) {
    Path directory = pattern.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      return List.of();
    }
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(matcher::matches).sorted().toList();
    } catch (IOException e) {
      log.warn("cannot read {}, which the ssh configuration includes", directory);
      return List.of();
    }
  }

  private boolean matches(List<String> criteria) {
    for (int i = 0; i < criteria.size(); i++) {
      String word = criteria.get(i).toLowerCase(Locale.ROOT);
      boolean not = word.startsWith("!");
      String criterion = not ? word.substring(1) : word;
      if (criterion.equals("all")) {
        continue;
      }
      List<String> patterns =
          i + 1 < criteria.size() ? List.of(criteria.get(++i).split(",", -1)) : List.of();
      String user = values.some("User");
      String host = values.some("HostName");
      boolean holds =
          switch (criterion) {
            case "originalhost" -> matchesAny(patterns, destination.host());
            case "host" -> matchesAny(patterns, host == null ? destination.host() : host);
            case "user" -> matchesAny(patterns, user == null ? environment.user() : user);
            case "localuser" -> matchesAny(patterns, environment.user());
            default -> {
              log.warn("Match {} needs ssh to be installed: taken as no match", criterion);
              yield not;
            }
          };
      if (holds == not) {
        return false;
      }
    }
    return true;
  }

  private static boolean matchesAny(List<String> patterns, String text) {
    return Wildcards.matchesList(patterns, text);
  }

  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(text);
    while (word.find()) {
      words.add(word.group(1) == null ? word.group(2) : word.group(1));
    }
    return words;
  }
}
