package org.tpforward.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A machine of its own, as far as sockets go: mount, network and process namespaces, its own /tmp,
 * /run, /home and users.
 *
 * <p>They live as long as one process in them, their init, which lives until its standard input
 * ends: so when this JVM goes, however it goes, the kernel kills every program of the side, and
 * mounts, interfaces and files go with them. Nothing was ever made outside.
 */
public final class Side implements Place {
  private static final String SCRATCH = "/mnt/scratch";
  private static final String JDK = "/mnt/jdk";
  private static final String PROGRAM = "/mnt/tpforward";

  /** Arguments: the JDK, its place. The JDK is bound first: the mounts after it may hide it. */
  private static final String INIT =
      """
      set -e
      mount -t tmpfs -o mode=755 tmpfs /mnt
      mkdir "$2" /mnt/etc /mnt/scratch /mnt/tpforward
      mount --bind "$1" "$2"
      for dir in /tmp /var/tmp; do mount -t tmpfs -o mode=1777 tmpfs $dir; done
      for dir in /run /home; do mount -t tmpfs -o mode=755 tmpfs $dir; done
      mkdir -m 755 /run/sshd /run/user
      cd /mnt/etc
      cat >passwd <<END
      root:x:0:0::/root:/bin/sh
      sshd:x:20010:65534::/run/sshd:/usr/sbin/nologin
      nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
      desk:x:20001:20001::/home/desk:/bin/sh
      serv:x:20002:20002::/home/serv:/bin/sh
      stranger:x:20003:20003::/home/stranger:/bin/sh
      END
      cat >group <<END
      root:x:0:
      nogroup:x:65534:
      desk:x:20001:
      serv:x:20002:
      stranger:x:20003:
      END
      for user in root sshd nobody desk serv stranger; do echo "$user:*:19000:0:99999:7:::"; done >shadow
      chmod 600 shadow
      echo 'passwd: files\ngroup: files\nshadow: files\nhosts: files' >nsswitch.conf
      echo '127.0.0.1 localhost\n::1 localhost' >hosts
      for file in passwd group shadow nsswitch.conf hosts; do
        [ ! -e /etc/$file ] || mount --bind $file /etc/$file
      done
      cd /
      ip link set lo up
      echo ready
      cat >/dev/null
      """;

  private final String address;
  private final Proc holder;
  private final long init;

  private Side(String address, Proc holder, long init) {
    this.address = address;
    this.holder = holder;
    this.init = init;
  }

  /**
   * Makes a side, alone: {@link Sides} joins two.
   *
   * @param address the address that its interface will have
   * @throws HarnessException if the system allows no namespaces
   */
  static Side open(String name, String address) {
    Proc holder =
        Proc.start(
            name,
            List.of(
                "unshare",
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "sh",
                "-c",
                INIT,
                name,
                System.getProperty("java.home", "/usr"),
                JDK),
            true,
            false);
    try {
      holder.awaitLine("^ready$");
      Side side = new Side(address, holder, holder.handle().pid());
      Installation.copy(side.path(PROGRAM));
      return side;
    } catch (HarnessException e) {
      holder.close();
      throw new HarnessException(
          "no namespaces for the " + name + ": run as root, or through bin/verify or bin/demo", e);
    }
  }

  /** The process that keeps the namespaces, as this JVM sees it. */
  long init() {
    return init;
  }

  @Override
  public String scratch() {
    return SCRATCH;
  }

  @Override
  public String javaHome() {
    return JDK;
  }

  @Override
  public String program() {
    return PROGRAM;
  }

  @Override
  public String address() {
    return address;
  }

  @Override
  public Login admin() {
    return login(User.ROOT);
  }

  @Override
  public Login login(User user) {
    String home = user.isRoot() ? SCRATCH : "/home/" + user.name();
    String runtimeDir = "/run/user/" + user.uid();
    if (!user.isRoot()) {
      own(home, user);
    }
    own(runtimeDir, user);
    return Login.of(this, user, home, runtimeDir);
  }

  private void own(String directory, User user) {
    Path path = path(directory);
    if (Files.exists(path)) {
      return;
    }
    try {
      Files.createDirectory(path);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
      Files.setAttribute(path, "unix:uid", user.uid());
      Files.setAttribute(path, "unix:gid", user.uid());
    } catch (IOException e) {
      throw new HarnessException("cannot make " + directory, e);
    }
  }

  @Override
  public Path path(String absolute) {
    return Path.of("/proc/" + init + "/root" + absolute);
  }

  @Override
  public List<String> command(
      User user, Map<String, String> environment, String directory, List<String> argv) {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("nsenter", "-t", Long.toString(init), "-m", "-n", "-p", "--"));
    String id = Integer.toString(user.uid());
    command.addAll(
        List.of("setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--pdeathsig", "KILL"));
    command.addAll(List.of("env", "-i", "--chdir=" + directory));
    new TreeMap<>(environment).forEach((key, value) -> command.add(key + "=" + value));
    command.addAll(argv);
    return command;
  }

  @Override
  public boolean forks() {
    return true;
  }

  /** The programs that run in this side now, its init aside. */
  public List<ProcessHandle> processes() {
    Path namespace = Path.of("/proc/" + init + "/ns/pid");
    try {
      Path own = Files.readSymbolicLink(namespace);
      return ProcessHandle.allProcesses()
          .filter(process -> process.pid() != init && own.equals(pidNamespace(process)))
          .filter(process ->
              process.parent().map(ProcessHandle::pid).orElse(0L) != init
                  || !process.info().command().orElse("").endsWith("/cat"))
          .toList();
    } catch (IOException e) {
      throw new HarnessException("cannot read " + namespace, e);
    }
  }

  private static Path pidNamespace(ProcessHandle process) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/ns/pid"));
    } catch (IOException e) {
      // It has ended.
      return Path.of("/");
    }
  }

  @Override
  public void close() {
    // Killing init is what ends the others.
    holder.handleIfAlive().ifPresent(ProcessHandle::destroyForcibly);
    holder.close();
  }
}
