package org.tpforward.agent.link;

import java.io.IOException;
import java.util.List;

/**
 * Private directories on the server, for sockets that are forwarded from there. By exec; where the
 * server runs no commands every call throws {@link RemoteShell.NoExecException}.
 */
public final class RemoteFiles {
  private static final int LONGEST_OUTPUT = 256 << 10;
  // sun_path less the name of a socket.
  private static final int LONGEST_DIRECTORY = 80;

  private static final String MAKE =
      """
      umask 077
      for d in "$XDG_RUNTIME_DIR" "/run/user/$(id -u)" "$TMPDIR" /tmp; do
        [ -n "$d" ] && [ -d "$d" ] && [ -w "$d" ] || continue
        mktemp -d "$d/tpforward.XXXXXXXXXXXX" 2>/dev/null && exit 0
      done
      exit 1
      """;

  private final RemoteShell shell;

  RemoteFiles(RemoteShell shell) {
    this.shell = shell;
  }

  /**
   * Makes a directory of mode 0700 with a random name, in the user's runtime directory where there
   * is one.
   *
   * @return its absolute path, of at most 80 bytes
   */
  public String makePrivateDirectory() throws IOException {
    RemoteShell.Result result = shell.script(MAKE, LONGEST_OUTPUT);
    String path = result.output().strip();
    if (result.status() != 0
        || !path.startsWith("/")
        || path.length() > LONGEST_DIRECTORY
        || path.indexOf('\n') >= 0) {
      throw new IOException(
          "no private directory could be made on the server: "
              + OneLine.of(path + " " + result.errors(), 200));
    }
    return path;
  }

  /** The names in a directory, sorted; without {@code .} and {@code ..}. */
  public List<String> list(String directory) throws IOException {
    RemoteShell.Result result =
        shell.script("ls -1A -- " + RemoteShell.quote(directory), LONGEST_OUTPUT);
    if (result.status() != 0) {
      throw new IOException(
          "cannot read " + directory + " on the server: " + OneLine.of(result.errors(), 200));
    }
    return result.output().lines().filter(line -> !line.isEmpty()).sorted().toList();
  }

  /** Removes one file or socket; one that is not there is no error. */
  public void unlink(String path) throws IOException {
    run("rm -f -- " + RemoteShell.quote(path), path);
  }

  /** Removes a directory with the files and sockets in it, but not with directories in it. */
  public void removeDirectory(String directory) throws IOException {
    String quoted = RemoteShell.quote(directory);
    run(
        "[ -d "
            + quoted
            + " ] || exit 0; cd "
            + quoted
            + " && rm -f -- ./* ./.[!.]* && cd / && rmdir -- "
            + quoted,
        directory);
  }

  private void run(String script, String path) throws IOException {
    RemoteShell.Result result = shell.script(script, 1024);
    if (result.status() != 0) {
      throw new IOException(
          "cannot remove " + path + " on the server: " + OneLine.of(result.errors(), 200));
    }
  }
}
