package org.tpforward.harness;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * podman with images, containers and configuration of its own, on this machine's network or in that
 * of a {@link Side}. Root's only.
 *
 * <p>Everything runs in one mount and one process namespace, whose init lives until its standard
 * input ends: so containers end with this JVM, however it ends, and this machine's own podman sees
 * nothing of them.
 */
public final class Podman implements AutoCloseable {
  /** What apt, a mirror and a machine with much to do may take together. */
  private static final Duration BUILD = Duration.ofMinutes(5);

  /**
   * Argument: a directory, which is made. What podman has under /run and its locks in /dev/shm are
   * out of sight, but names can be resolved. Overlays cannot be stacked on every file system: there
   * layers are copied.
   */
  private static final String INIT =
      """
      set -e
      mkdir "$1"
      cd "$1"
      resolver=$(readlink -f /etc/resolv.conf)
      [ ! -e "$resolver" ] || cp "$resolver" resolver
      mount -t tmpfs -o mode=755 tmpfs /run
      case $resolver in
        /run/*) mkdir -p "${resolver%/*}"; cp resolver "$resolver" ;;
      esac
      mount -t tmpfs -o mode=1777 tmpfs /dev/shm
      mkdir -m 1777 /run/lock
      mkdir -m 700 /run/user
      mkdir lower upper work merged storage
      driver=vfs
      if mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged; then
        umount merged
        driver=overlay
      fi
      cat >storage.conf <<END
      [storage]
      driver = "$driver"
      graphroot = "$1/storage"
      runroot = "/run/containers/storage"
      END
      cat >containers.conf <<END
      [containers]
      netns = "host"
      log_driver = "k8s-file"
      default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
      [engine]
      runtime = "runc"
      cgroup_manager = "cgroupfs"
      events_logger = "file"
      tmp_dir = "/run/libpod"
      END
      echo ready
      cat >/dev/null
      """;

  private final Path directory;
  private final FileChannel lock;
  private final Proc holder;
  private final long init;

  private Podman(Path directory, FileChannel lock, Proc holder, long init) {
    this.directory = directory;
    this.lock = lock;
    this.holder = holder;
    this.init = init;
  }

  /**
   * Makes one, with nothing in it.
   *
   * @throws HarnessException if this machine runs no containers: in one line, why
   */
  public static Podman open() {
    Path target = Installation.checkout().resolve("integration-tests/target");
    Path directory = target.resolve("podman");
    FileChannel lock = lock(target.resolve("podman.lock"));
    remove(directory);
    List<String> command = new ArrayList<>(List.of("unshare", "--mount", "--pid", "--fork"));
    command.addAll(List.of("--kill-child", "--mount-proc", "sh", "-c", INIT, "podman"));
    command.add(directory.toString());
    Proc holder = Proc.start("podman", command, true, false);
    try {
      holder.awaitLine("^ready$");
      Podman podman = new Podman(directory, lock, holder, holder.handle().pid());
      Installation.copy(podman.program());
      Proc.Result info = podman.run(null, "podman", "info");
      if (info.status() != 0) {
        throw new HarnessException(info.err());
      }
      return podman;
    } catch (HarnessException e) {
      holder.close();
      remove(directory);
      unlock(lock);
      throw new HarnessException(
          "podman (packages podman and runc) cannot run here, which takes root, namespaces and"
              + " cgroups: "
              + String.valueOf(e.getMessage()).strip().replace("\n", "; "),
          e);
    }
  }

  /** A directory of this one's own, which its programs see under the same name. */
  public Path directory() {
    return directory;
  }

  /** The program in the layout of a checkout. */
  public Path program() {
    return directory.resolve("tpforward");
  }

  /** Builds an image with bin/image, which takes the arguments; hands back its name. */
  public String image(String... arguments) {
    List<String> command = new ArrayList<>(List.of(program() + "/bin/image"));
    command.addAll(List.of(arguments));
    try (Proc proc = start(null, command)) {
      return proc.await(BUILD).ok().out().strip();
    }
  }

  /**
   * Starts a program beside podman's containers: podman itself, or one that calls it.
   *
   * @param side whose network it has, or null for this machine's
   */
  public Proc start(@Nullable Side side, List<String> argv) {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("nsenter", "-t", Long.toString(init), "-m", "-p"));
    if (side != null) {
      command.add("--net=/proc/" + side.init() + "/ns/net");
    }
    command.addAll(List.of("--", "setpriv", "--pdeathsig", "KILL", "env"));
    command.addAll(List.of("--chdir=" + directory, "XDG_RUNTIME_DIR=/run/user"));
    command.add("CONTAINERS_CONF=" + directory.resolve("containers.conf"));
    command.add("CONTAINERS_STORAGE_CONF=" + directory.resolve("storage.conf"));
    command.add("JAVA_HOME=" + System.getProperty("java.home"));
    command.add("TPFORWARD_NO_INSTALL=1");
    command.add("PATH=" + program().resolve("bin") + ":" + System.getenv("PATH"));
    command.addAll(argv);
    return Proc.start(argv.getFirst(), command, true, false);
  }

  /** Runs a program as {@link #start} does, to its end. */
  public Proc.Result run(@Nullable Side side, String... argv) {
    try (Proc proc = start(side, List.of(argv))) {
      proc.closeStdin();
      return proc.await();
    }
  }

  /** The names of this one's containers, running or not. */
  public List<String> containers() {
    return names("ps", "--all", "--format={{.Names}}");
  }

  /** The names of this one's volumes. */
  public List<String> volumes() {
    return names("volume", "ls", "--format={{.Name}}");
  }

  private List<String> names(String... arguments) {
    String[] command =
        Stream.concat(Stream.of("podman"), Stream.of(arguments)).toArray(String[]::new);
    return run(null, command).ok().out().lines().filter(line -> !line.isBlank()).toList();
  }

  /** Ends the containers and removes all that was ever stored. */
  @Override
  public void close() {
    holder.handleIfAlive().ifPresent(ProcessHandle::destroyForcibly);
    holder.close();
    remove(directory);
    unlock(lock);
  }

  /** What a killed JVM has left is only removed where it is nobody's. */
  private static FileChannel lock(Path file) {
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (channel.tryLock() == null) {
        channel.close();
        throw new HarnessException("another test runs containers in " + file.getParent());
      }
      return channel;
    } catch (IOException e) {
      throw new HarnessException("cannot lock " + file, e);
    }
  }

  private static void unlock(FileChannel lock) {
    try {
      lock.close();
    } catch (IOException e) {
      throw new HarnessException("cannot unlock", e);
    }
  }

  /** The cgroups too: empty ones only can be removed, so that nobody else's are. */
  private static void remove(Path directory) {
    String script =
        """
        find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} \\; 2>/dev/null
        rm -rf --one-file-system -- "$1"
        """;
    List<String> command = List.of("sh", "-c", script, "remove", directory.toString());
    try (Proc proc = Proc.start("remove", command, false, false)) {
      proc.await().ok();
    }
  }
}
