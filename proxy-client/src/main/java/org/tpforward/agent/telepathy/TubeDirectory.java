package org.tpforward.agent.telepathy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The private directory of one offered tube's socket. Its name tells the process that made it, so
 * that the next one can remove what a killed one left.
 */
final class TubeDirectory {
  private static final Logger log = LoggerFactory.getLogger(TubeDirectory.class);

  private static final String PREFIX = "tpforward-tube-";
  private static final Pattern NAME = Pattern.compile(PREFIX + "([0-9]{1,18})-[0-9]+");

  private static final String SOCKET = "s";

  private TubeDirectory() {}

  /** Makes one, of mode 0700, and removes what dead processes left beside it. */
  static Path create(Path runtime) throws IOException {
    sweep(runtime);
    return Files.createTempDirectory(runtime, PREFIX + ProcessHandle.current().pid() + "-");
  }

  /** Where the socket goes. */
  static Path socket(Path directory) {
    return directory.resolve(SOCKET);
  }

  private static void sweep(Path runtime) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(runtime, PREFIX + "*")) {
      for (Path directory : found) {
        Matcher name = NAME.matcher(String.valueOf(directory.getFileName()));
        if (name.matches() && isLeft(directory, Long.parseLong(name.group(1)))) {
          log.info("removing {}, which a dead process left", directory);
          Files.deleteIfExists(socket(directory));
          Files.deleteIfExists(directory);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // Another user's, or somebody else is just removing it.
      log.debug("looking for what dead processes left in {} failed", runtime, e);
    }
  }

  /**
   * A process of another pid namespace may share the directory, and cannot be seen from here: so
   * whoever still listens is alive too.
   */
  private static boolean isLeft(Path directory, long pid) {
    return !ProcessHandle.of(pid).isPresent()
        && Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
        && !isListening(socket(directory));
  }

  private static boolean isListening(Path socket) {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
