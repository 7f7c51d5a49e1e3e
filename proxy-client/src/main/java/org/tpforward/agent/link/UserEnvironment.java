package org.tpforward.agent.link;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the link takes from the process it runs in, in one place, so that a test gives it another
 * one.
 *
 * @param home the directory of {@code .ssh}. As for ssh it is the one of the password database, not
 *     {@code $HOME}
 * @param variables the environment
 * @param terminal the device on which the user can be asked, or null if there is none
 */
public record UserEnvironment(Path home, Map<String, String> variables, @Nullable Path terminal) {

  /** Copies the variables. */
  public UserEnvironment {
    variables = Map.copyOf(variables);
  }

  /** The real one. */
  public static UserEnvironment system() {
    return new UserEnvironment(
        Path.of(System.getProperty("user.home")), System.getenv(), Path.of("/dev/tty"));
  }

  /** The local login name. */
  String user() {
    return System.getProperty("user.name");
  }

  /** A variable, or null if it is unset or empty. */
  @Nullable String variable(String name) {
    String value = variables.get(name);
    return value == null || value.isEmpty() ? null : value;
  }

  /** Where a program is on the PATH, or null. */
  @Nullable Path program(String name) {
    String path = variables.getOrDefault("PATH", "/usr/local/bin:/usr/bin:/bin");
    for (String directory : path.split(":", -1)) {
      Path file = Path.of(directory.isEmpty() ? "." : directory, name);
      if (Files.isExecutable(file) && !Files.isDirectory(file)) {
        return file.toAbsolutePath();
      }
    }
    return null;
  }

  /** A child process sees this environment and no other. */
  ProcessBuilder process(java.util.List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(variables);
    return builder;
  }
}
