package org.tpforward.agent.link;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Private directories on the server, for sockets that are forwarded from there. By exec, and where
 * the server runs no commands by SFTP; where it has neither, every call throws {@link
 * RemoteShell.NoExecException}.
 */
public final class RemoteFiles {
  private static final Logger log = LoggerFactory.getLogger(RemoteFiles.class);
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int LONGEST_OUTPUT = 256 << 10;
  // sun_path less the name of a socket.
  private static final int LONGEST_DIRECTORY = 80;

  /** Lists the places, and defines {@code clean} to remove what dead sessions left in one. */
  private static final String CLEAN =
      """
      umask 077
      start() {
        s=
        { read -r s < "/proc/$1/stat"; } 2>/dev/null || return
        s=${s##*) }
        set -- $s
        echo "${20}"
      }
      me=$(start "$PPID")
      clean() {
        for o in "$1"/tpforward.*.*.*; do
          [ -n "$me" ] && [ -d "$o" ] && [ -O "$o" ] && [ ! -L "$o" ] || continue
          r=${o##*/tpforward.}
          p=${r%%.*}
          r=${r#*.}
          t=${r%%.*}
          case $p.$t in
            *[!0-9.]*|.*|*.) continue ;;
          esac
          [ "$(start "$p")" = "$t" ] || { rm -f -- "$o"/*; rmdir -- "$o"; } 2>/dev/null
        done
      }
      set -- "$XDG_RUNTIME_DIR" "/run/user/$(id -u)" "$TMPDIR" /tmp
      """;

  private static final String MAKE =
      CLEAN
          + """
          for d; do
            [ -n "$d" ] && [ -d "$d" ] && [ -w "$d" ] || continue
            clean "$d"
            mktemp -d "$d/tpforward.$PPID.${me:-0}.XXXXXXXX" 2>/dev/null && exit 0
          done
          exit 1
          """;

  private static final String CLEAN_ALL =
      CLEAN
          + """
          for d; do
            [ -n "$d" ] && clean "$d"
          done
          exit 0
          """;

  private final RemoteShell shell;

  RemoteFiles(RemoteShell shell) {
    this.shell = shell;
  }

  private interface Work<T, A> {
    T with(A tool) throws IOException;
  }

  private <T> T either(Work<T, RemoteShell> byExec, Work<T, SftpClient> bySftp) throws IOException {
    try {
      return byExec.with(shell);
    } catch (RemoteShell.NoExecException e) {
      SftpClient sftp;
      try {
        sftp = shell.sftp();
      } catch (IOException none) {
        e.addSuppressed(none);
        throw e;
      }
      try (sftp) {
        return bySftp.with(sftp);
      }
    }
  }

  /**
   * Makes a directory of mode 0700 with a random name, in the user's runtime directory where there
   * is one. By exec its name says which process of the server's sshd it belongs to ({@link
   * RemoteSession}); those of processes that are gone, which a dead agent left, are removed first.
   *
   * @return its absolute path, of at most 80 bytes
   */
  public String makePrivateDirectory() throws IOException {
    return either(RemoteFiles::makeByExec, RemoteFiles::makeBySftp);
  }

  /**
   * Removes the private directories that sessions of this user left which are gone; never one whose
   * process lives. By exec only: of a directory that was made by SFTP nobody can tell whose it is.
   */
  void removeLeftovers() {
    try {
      RemoteShell.Result _ = shell.script(CLEAN_ALL, 1024);
    } catch (IOException e) {
      log.debug("what dead sessions left on the server stays there: {}", e.getMessage());
    }
  }

  private static String makeByExec(RemoteShell shell) throws IOException {
    RemoteShell.Result result = shell.script(MAKE, LONGEST_OUTPUT);
    String path = result.output().strip();
    if (result.status() != 0
        || !path.startsWith("/")
        || path.getBytes(StandardCharsets.UTF_8).length > LONGEST_DIRECTORY
        || path.indexOf('\n') >= 0) {
      throw new IOException(
          "no private directory could be made on the server: "
              + OneLine.of(path + " " + result.errors(), 200));
    }
    return path;
  }

  private static String makeBySftp(SftpClient sftp) throws IOException {
    byte[] name = new byte[8];
    RANDOM.nextBytes(name);
    String child = "/tpforward." + HexFormat.of().formatHex(name);
    String runtime = "/run/user/" + userId(sftp) + child;
    try {
      sftp.makeDirectory(runtime);
      return runtime;
    } catch (SftpClient.StatusException e) {
      sftp.makeDirectory("/tmp" + child);
      return "/tmp" + child;
    }
  }

  /** The user's id: whom the home directory belongs to. */
  static long userId(SftpClient sftp) throws IOException {
    return sftp.attributes(sftp.realPath(".")).owner();
  }

  /** The names in a directory, sorted; without {@code .} and {@code ..}. */
  public List<String> list(String directory) throws IOException {
    return either(
        exec -> {
          RemoteShell.Result result =
              exec.script("ls -1A -- " + RemoteShell.quote(directory), LONGEST_OUTPUT);
          if (result.status() != 0) {
            throw new IOException(
                "cannot read " + directory + " on the server: " + OneLine.of(result.errors(), 200));
          }
          return result.output().lines().filter(line -> !line.isEmpty()).sorted().toList();
        },
        sftp -> sftp.list(directory).stream().sorted().toList());
  }

  /** Removes one file or socket; one that is not there is no error. */
  public void unlink(String path) throws IOException {
    either(
        exec -> run(exec, "rm -f -- " + RemoteShell.quote(path), path),
        sftp -> {
          try {
            sftp.remove(path);
          } catch (SftpClient.StatusException e) {
            if (!e.isMissing()) {
              throw e;
            }
          }
          return path;
        });
  }

  /**
   * Removes a directory with the files and sockets in it, but not with directories in it; one that
   * is not there is no error.
   */
  public void removeDirectory(String directory) throws IOException {
    String quoted = RemoteShell.quote(directory);
    String script =
        "[ -d %s ] || exit 0; cd %s && rm -f -- ./* ./.[!.]* && cd / && rmdir -- %s"
            .formatted(quoted, quoted, quoted);
    either(
        exec -> run(exec, script, directory),
        sftp -> {
          try {
            for (String name : sftp.list(directory)) {
              sftp.remove(directory + "/" + name);
            }
            sftp.removeDirectory(directory);
          } catch (SftpClient.StatusException e) {
            if (!e.isMissing()) {
              throw e;
            }
          }
          return directory;
        });
  }

  private static String run(RemoteShell shell, String script, String path) throws IOException {
    RemoteShell.Result result = shell.script(script, 1024);
    if (result.status() != 0) {
      throw new IOException(
          "cannot remove " + path + " on the server: " + OneLine.of(result.errors(), 200));
    }
    return path;
  }
}
