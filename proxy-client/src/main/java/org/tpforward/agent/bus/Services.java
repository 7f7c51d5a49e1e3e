package org.tpforward.agent.bus;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.TelepathyException;

/** The local services that clients offer over tubes. */
final class Services {
  /** {@code S_IFMT} and {@code S_IFSOCK} of a file's mode (inode(7)). */
  private static final int TYPE_MASK = 0170000;

  private static final int SOCKET = 0140000;

  private Services() {}

  /**
   * Refuses what is certainly no service on this machine, while the client still can be told.
   *
   * @throws TelepathyException InvalidArgument
   */
  static Endpoint check(Endpoint service) throws TelepathyException {
    switch (service) {
      case Endpoint.UnixPath(String path) -> {
        if (!isSocket(path)) {
          throw TelepathyException.invalidArgument(path + " is no socket on this machine");
        }
      }
      case Endpoint.UnixAbstract name -> {}
      case Endpoint.Ip ip -> {
        if (!ip.isLoopback()) {
          throw TelepathyException.invalidArgument(ip + " is no loopback address");
        }
      }
    }
    return service;
  }

  private static boolean isSocket(String path) {
    try {
      int mode = (Integer) Files.getAttribute(Path.of(path), "unix:mode");
      return (mode & TYPE_MASK) == SOCKET;
    } catch (IOException | InvalidPathException e) {
      return false;
    }
  }
}
