package org.tpforward.harness;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

/**
 * An unmodified OpenSSH server with a configuration, a port and a host key of its own, which lets
 * in who holds the key that {@link #authorize} named.
 */
public final class PrivateSshd implements RemoteServer {
  private static final String CHANNEL_OPEN = "server_input_channel_open: ctype ";

  private final Place place;
  private final int port;
  private final String directory;
  private final Proc daemon;

  private PrivateSshd(Place place, int port, String directory, Proc daemon) {
    this.place = place;
    this.port = port;
    this.directory = directory;
    this.daemon = daemon;
  }

  /**
   * Starts a server.
   *
   * @param port its port at the place's address
   * @param options lines of sshd_config that come before, and so win over, the ones here
   */
  public static PrivateSshd start(Place place, int port, String... options) {
    String directory = place.scratch() + "/sshd-" + port;
    Path here = place.path(directory);
    Login admin = place.admin();
    try {
      if (!Files.exists(here)) {
        Files.createDirectories(here);
        Files.setPosixFilePermissions(here, PosixFilePermissions.fromString("rwxr-xr-x"));
        admin
            .run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory + "/host_key")
            .ok();
      }
      Files.writeString(here.resolve("sshd_config"), config(place, port, directory, options));
    } catch (IOException e) {
      throw new HarnessException("cannot write sshd's configuration", e);
    }
    Proc daemon = admin.start("/usr/sbin/sshd", "-D", "-e", "-f", directory + "/sshd_config");
    try {
      daemon.awaitLine("Server listening on");
    } catch (HarnessException e) {
      daemon.close();
      throw e;
    }
    return new PrivateSshd(place, port, directory, daemon);
  }

  private static String config(Place place, int port, String directory, String... options) {
    return String.join("\n", options)
        + """

        Port %d
        ListenAddress %s
        HostKey %s/host_key
        AuthorizedKeysFile %s/authorized_keys
        PidFile none
        UsePAM no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password
        StrictModes no
        PrintMotd no
        UseDNS no
        MaxStartups 200
        Subsystem sftp internal-sftp
        LogLevel DEBUG1
        """
            .formatted(port, place.address(), directory, directory);
  }

  /**
   * {@inheritDoc}
   *
   * @param loginName a user of the server's machine
   */
  @Override
  public void authorize(Login user, String loginName) {
    try {
      String publicKey = SshFiles.publicKey(user);
      Path authorized = place.path(directory + "/authorized_keys");
      if (!Files.exists(authorized) || !Files.readString(authorized).contains(publicKey)) {
        Files.writeString(
            authorized, publicKey, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      }
      Files.setPosixFilePermissions(authorized, PosixFilePermissions.fromString("rw-r--r--"));
    } catch (IOException e) {
      throw new HarnessException("cannot write authorized_keys", e);
    }
    SshFiles.write(user, knownHost(), place.address(), port, loginName);
  }

  @Override
  public String knownHost() {
    try {
      String key = Files.readString(place.path(directory + "/host_key.pub"));
      return SshFiles.knownHost(place.address(), port, key);
    } catch (IOException e) {
      throw new HarnessException("no host key", e);
    }
  }

  /**
   * A TCP port that nobody has just now, for where there is no network namespace to be alone in.
   */
  public static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new HarnessException("no free port", e);
    }
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public String directory() {
    return directory;
  }

  /** The daemon; its output is the log, at level DEBUG1. */
  @Override
  public Proc daemon() {
    return daemon;
  }

  @Override
  public String channelOpened(String type) {
    return CHANNEL_OPEN + type;
  }

  /**
   * Every process of a connection, privileged monitor and user's child alike: what a test stops or
   * kills.
   */
  public List<ProcessHandle> connections() {
    return daemon.handle().descendants().toList();
  }

  /** Sends a signal to every process of every connection. The server itself lives on. */
  public void signalConnections(String signal) {
    connections().forEach(process -> Proc.signal(process, signal));
  }

  @Override
  public void breakConnections() {
    signalConnections("KILL");
  }

  /** Ends the server and its connections. */
  @Override
  public void close() {
    List<ProcessHandle> connections =
        daemon.handleIfAlive().map(ProcessHandle::descendants).orElseGet(Stream::empty).toList();
    daemon.close();
    // Stopped ones too.
    connections.forEach(ProcessHandle::destroyForcibly);
  }
}
