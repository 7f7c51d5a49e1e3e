package org.tpforward.harness;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * This machine as it is, for where the system allows no namespaces: one user, one loopback, a
 * temporary directory. Nothing is proved about addresses here.
 */
public final class OneMachine implements Place {
  private static final Path PRIVILEGE_SEPARATION = Path.of("/run/sshd");

  private final Path scratch;
  private final boolean madeRunSshd;

  private OneMachine(Path scratch, boolean madeRunSshd) {
    this.scratch = scratch;
    this.madeRunSshd = madeRunSshd;
  }

  /** Makes the temporary directory. */
  public static OneMachine open() {
    try {
      Path scratch = Files.createTempDirectory("tpforward-demo-");
      Files.setPosixFilePermissions(scratch, PosixFilePermissions.fromString("rwxr-xr-x"));
      // sshd wants this one if it is started as root; where no service ever ran it is missing.
      boolean missing = User.current().isRoot() && !Files.exists(PRIVILEGE_SEPARATION);
      if (missing) {
        Files.createDirectory(PRIVILEGE_SEPARATION);
      }
      return new OneMachine(scratch, missing);
    } catch (IOException e) {
      throw new HarnessException("cannot make a temporary directory", e);
    }
  }

  @Override
  public String scratch() {
    return scratch.toString();
  }

  @Override
  public String javaHome() {
    return System.getProperty("java.home", "/usr");
  }

  @Override
  public String program() {
    return Installation.checkout().toString();
  }

  @Override
  public String address() {
    return "127.0.0.1";
  }

  @Override
  public Login admin() {
    return login(User.current());
  }

  /** Only the current user has directories; root may start single programs as another. */
  @Override
  public Login login(User user) {
    try {
      Path home = Files.createDirectories(scratch.resolve(user.name()));
      Path runtime = Files.createDirectories(scratch.resolve(user.name() + "-run"));
      Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));
      return Login.of(this, user, home.toString(), runtime.toString());
    } catch (IOException e) {
      throw new HarnessException("cannot make a home", e);
    }
  }

  @Override
  public Path path(String absolute) {
    return Path.of(absolute);
  }

  @Override
  public List<String> command(
      User user, Map<String, String> environment, String directory, List<String> argv) {
    List<String> command = new ArrayList<>();
    if (user.uid() != User.current().uid()) {
      String id = Integer.toString(user.uid());
      command.addAll(List.of("setpriv", "--reuid", id, "--regid", id, "--clear-groups"));
    }
    command.addAll(List.of("env", "-i", "--chdir=" + directory));
    new TreeMap<>(environment).forEach((key, value) -> command.add(key + "=" + value));
    command.addAll(argv);
    return command;
  }

  @Override
  public boolean forks() {
    return false;
  }

  @Override
  public void close() {
    try {
      if (madeRunSshd) {
        Files.deleteIfExists(PRIVILEGE_SEPARATION);
      }
      if (!Files.exists(scratch)) {
        return;
      }
      Files.walkFileTree(
          scratch,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
                throws IOException {
              Files.delete(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new HarnessException("cannot remove " + scratch, e);
    }
  }
}
