package org.tpforward.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** tpforward-server, as the user whose bus it gives out. */
public final class PrivateServer implements RemoteServer {
  private final Login login;
  private final int port;
  private final String directory;
  private final String[] options;
  private volatile Proc daemon;

  private PrivateServer(Login login, int port, String directory, String[] options, Proc daemon) {
    this.login = login;
    this.port = port;
    this.directory = directory;
    this.options = options;
    this.daemon = daemon;
  }

  /**
   * Starts a server with an empty file of authorized keys, and waits until it listens.
   *
   * @param login on the bus that is given out
   * @param port its port at the place's address
   * @param options more of them
   */
  public static PrivateServer start(Login login, int port, String... options) {
    String directory = directory(login, port);
    login.run("mkdir", "-p", directory).ok();
    login.run("touch", directory + "/authorized_keys").ok();
    return new PrivateServer(login, port, directory, options, listening(login, port, options));
  }

  private static Proc listening(Login login, int port, String... options) {
    Proc daemon = launch(login, port, options);
    try {
      daemon.awaitLine("listening on port");
      return daemon;
    } catch (HarnessException e) {
      daemon.close();
      throw e;
    }
  }

  /** Starts a server and waits for nothing: for one that is not meant to succeed. */
  public static Proc launch(Login login, int port, String... options) {
    return login.start(command(login, port, options));
  }

  private static String directory(Login login, int port) {
    return login.home() + "/tpforward-server-" + port;
  }

  /** The command line. */
  public static List<String> command(Login login, int port, String... options) {
    String directory = directory(login, port);
    List<String> command =
        new ArrayList<>(
            List.of(
                login.place().program() + "/bin/tpforward-server",
                "--listen",
                login.place().address() + ":" + port,
                "--host-key",
                directory + "/host_key",
                "--authorized-keys",
                directory + "/authorized_keys",
                "-vv"));
    if (!List.of(options).contains("--spawn-bus")) {
      command.addAll(
          List.of("--bus", login.environment().getOrDefault("DBUS_SESSION_BUS_ADDRESS", "")));
    }
    command.addAll(List.of(options));
    return command;
  }

  /** Lets a user's key in, with options of authorized_keys before it. */
  public void authorize(Login user, String loginName, String options) {
    String key = SshFiles.publicKey(user);
    try {
      Path authorized = login.place().path(directory + "/authorized_keys");
      if (!Files.readString(authorized).contains(key)) {
        Files.writeString(
            authorized, options.isEmpty() ? key : options + " " + key, StandardOpenOption.APPEND);
        reload();
      }
    } catch (IOException e) {
      throw new HarnessException("cannot write authorized_keys", e);
    }
    SshFiles.write(user, knownHost(), login.place().address(), port, loginName);
  }

  @Override
  public void authorize(Login user, String loginName) {
    authorize(user, loginName, "");
  }

  /** Has it read its keys again, and waits for that. */
  public void reload() {
    long mark = daemon.mark();
    Proc.signal(daemon.handle(), "HUP");
    daemon.awaitLine("read the keys again", mark);
  }

  @Override
  public String knownHost() {
    String key = login.run("ssh-keygen", "-y", "-f", directory + "/host_key").ok().out();
    return SshFiles.knownHost(login.place().address(), port, key);
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public String directory() {
    return directory;
  }

  /** The server that runs now; its output is the log and the audit. */
  @Override
  public Proc daemon() {
    return daemon;
  }

  @Override
  public String channelOpened(String type) {
    return "asked for " + type;
  }

  @Override
  public void breakConnections() {
    daemon.signal("KILL");
    Proc.Result _ = daemon.await();
    daemon.close();
    daemon = listening(login, port, options);
  }

  @Override
  public void close() {
    daemon.close();
  }
}
