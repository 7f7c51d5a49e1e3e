package org.tpforward.it.link;

import java.io.IOException;
import java.nio.file.Path;

/** Where who holds a key is let in: OpenSSH's server, or tpforward-server. */
sealed interface Door extends AutoCloseable permits Sshd, OwnServer {
  /**
   * OpenSSH's server, with an Ed25519 host key, unless the property tpforward.harness.server is
   * {@code tpforward-server}: for tests that are run against both.
   */
  static Door open(Path directory) throws IOException, InterruptedException {
    return "tpforward-server".equals(System.getProperty("tpforward.harness.server"))
        ? OwnServer.start()
        : Sshd.start(directory);
  }

  /** On 127.0.0.1. */
  int port();

  /** The known_hosts line of this server's key of a type. */
  String knownHost(String type) throws IOException;

  /** Adds a line of authorized_keys. */
  void authorize(String line) throws IOException;

  /** Lets who holds this key log in. */
  default void allow(Path key) throws IOException {
    authorize(Programs.publicKey(key));
  }

  /** Ends the server and its connections. */
  @Override
  void close() throws IOException;
}
