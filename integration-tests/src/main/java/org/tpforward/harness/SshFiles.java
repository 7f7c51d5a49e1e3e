package org.tpforward.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** What ssh needs in a user's ~/.ssh. */
final class SshFiles {
  private SshFiles() {}

  private static String directory(Login user) {
    return user.home() + "/.ssh";
  }

  /** The user's public key, with its line end; made if need be. */
  static String publicKey(Login user) {
    String key = directory(user) + "/id_ed25519";
    if (!Files.exists(user.place().path(directory(user)))) {
      user.run("mkdir", "-m", "700", directory(user)).ok();
      user.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).ok();
    }
    try {
      return Files.readString(user.place().path(key + ".pub"));
    } catch (IOException e) {
      throw new HarnessException("no key", e);
    }
  }

  /** Writes known_hosts, and a configuration with the host's name {@code server}. */
  static void write(Login user, String knownHost, String address, int port, String loginName) {
    String ssh = directory(user);
    try {
      put(user, ssh + "/known_hosts", knownHost + "\n");
      put(
          user,
          ssh + "/config",
          """
          Host server
            HostName %s
            Port %d
            User %s
            UserKnownHostsFile %s/known_hosts
            IdentityFile %s/id_ed25519
          """
              .formatted(address, port, loginName, ssh, ssh));
    } catch (IOException e) {
      throw new HarnessException("cannot write " + ssh, e);
    }
  }

  private static void put(Login user, String file, String text) throws IOException {
    Path here = user.place().path(file);
    Files.writeString(here, text);
    if (user.place() instanceof Side) {
      Files.setAttribute(here, "unix:uid", user.user().uid());
    }
    Files.setPosixFilePermissions(here, PosixFilePermissions.fromString("rw-------"));
  }

  /** A line for a known_hosts file. */
  static String knownHost(String address, int port, String publicKey) {
    String[] words = publicKey.split(" ", -1);
    String host = port == 22 ? address : "[" + address + "]:" + port;
    return host + " " + words[0] + " " + words[1].strip();
  }
}
