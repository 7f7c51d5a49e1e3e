package org.tpforward.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** A container of bin/image's, in the network of a side, into which one user is let. */
public final class ContainerServer implements AutoCloseable {
  private final Podman podman;
  private final String name;
  private final Proc proc;

  private ContainerServer(Podman podman, String name, Proc proc) {
    this.podman = podman;
    this.name = name;
    this.proc = proc;
  }

  /**
   * Starts one as an operator would who trusts nobody, waits until it listens, and writes what ssh
   * needs into the user's ~/.ssh: the host's name there is {@code server}.
   *
   * @param user of another place
   * @param port at the side's address; a container's name and volume are made of it
   * @param options of {@code podman run}, more of them
   */
  public static ContainerServer start(
      Podman podman, String image, Side side, Login user, int port, String... options) {
    String name = "server-" + port;
    Path keys = podman.directory().resolve(name);
    try {
      Files.createDirectory(keys);
      Files.writeString(keys.resolve("authorized_keys"), SshFiles.publicKey(user));
      Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException e) {
      throw new HarnessException("cannot write authorized_keys", e);
    }
    List<String> command = new ArrayList<>(List.of("podman", "run", "--rm", "--name=" + name));
    command.addAll(List.of("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"));
    command.add("--volume=" + keys + ":/etc/tpforward-server:ro");
    command.addAll(List.of(options));
    command.addAll(List.of(image, "--listen=" + side.address() + ":" + port));
    Proc proc = podman.start(side, command);
    try {
      proc.awaitLine("listening on port");
      SshFiles.write(user, hostKey(user, side.address(), port), side.address(), port, "anybody");
    } catch (HarnessException e) {
      proc.close();
      throw e;
    }
    return new ContainerServer(podman, name, proc);
  }

  /** There is one wire, and nobody on it but these two. */
  private static String hostKey(Login user, String address, int port) {
    String number = Integer.toString(port);
    return user.run("ssh-keyscan", "-t", "ed25519", "-p", number, address).ok().out().strip();
  }

  /** {@code podman run}, which passes signals on and ends with the container's status. */
  public Proc proc() {
    return proc;
  }

  /** Runs a program in the container. */
  public Proc.Result exec(String... argv) {
    List<String> command = new ArrayList<>(List.of("podman", "exec", name));
    command.addAll(List.of(argv));
    return podman.run(null, command.toArray(String[]::new));
  }

  /** {@code podman stop}, with its own patience: ten seconds, and then it kills. */
  public Proc.Result stop() {
    return podman.run(null, "podman", "stop", name);
  }

  @Override
  public void close() {
    if (proc.isAlive()) {
      Proc.Result _ = stop();
    }
    proc.close();
  }
}
