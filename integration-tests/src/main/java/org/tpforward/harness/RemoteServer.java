package org.tpforward.harness;

/** The SSH server of the machine with the bus: OpenSSH's, or tpforward-server. */
public sealed interface RemoteServer extends AutoCloseable permits PrivateSshd, PrivateServer {
  /**
   * Makes a key for a user of another place, lets it in here, and writes what ssh needs into that
   * user's ~/.ssh: the key, the host key, and the host's name {@code server} in the configuration.
   *
   * @param loginName as whom the user logs in here
   */
  void authorize(Login user, String loginName);

  /** This server's line for a known_hosts file. */
  String knownHost();

  /** The port on which it listens. */
  int port();

  /** Its directory in its place's own terms: configuration, host key, authorized keys. */
  String directory();

  /** The daemon; its output is the log. */
  Proc daemon();

  /**
   * A regular expression for the line of the log in which a client's channel is asked for.
   *
   * @param type the channel type, or how it begins
   */
  String channelOpened(String type);

  /**
   * Breaks off all connections at once, with no word to anybody: sshd's processes that serve them
   * are killed, tpforward-server as a whole, and started again as it was. Waits until the server
   * can be reached.
   */
  void breakConnections();

  /** Ends the server and its connections. */
  @Override
  void close();
}
