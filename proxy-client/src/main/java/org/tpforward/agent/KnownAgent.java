package org.tpforward.agent;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Another process's agent, as its directory shows it. What it answers is asked for each time.
 *
 * @param name of the agent
 * @param path its directory
 * @param pid its process; null if that is not known, as in the first moment of a start
 */
public record KnownAgent(String name, Path path, @Nullable Long pid) {
  /** Bytes of an answer: a status with tens of thousands of forwards. */
  private static final int MAX_ANSWER = 16 << 20;

  /**
   * All agents that have a directory, by name; those that a dead agent left are among them.
   *
   * @param base from {@link RuntimeBase#find}
   */
  public static List<KnownAgent> list(Path base) throws AgentException {
    List<KnownAgent> agents = new ArrayList<>();
    try (DirectoryStream<Path> directories = Files.newDirectoryStream(base)) {
      for (Path path : directories) {
        String name = String.valueOf(path.getFileName());
        if (AgentName.problem(name) == null && isOurs(path)) {
          agents.add(new KnownAgent(name, path, Leftovers.pid(path)));
        }
      }
    } catch (NoSuchFileException e) {
      // There never was one.
    } catch (IOException | DirectoryIteratorException e) {
      throw new AgentException(
          ExitCode.RUNTIME_DIRECTORY, base + " cannot be read: " + e.getMessage(), e);
    }
    agents.sort(Comparator.comparing(KnownAgent::name));
    return agents;
  }

  private static boolean isOurs(Path path) {
    return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
        && RuntimeBase.problem(path, RuntimeBase.ownUid(), 0) == null;
  }

  /** Whether its process lives, as far as its directory tells. */
  public boolean isAlive() {
    return pid != null && Leftovers.alive(pid);
  }

  /**
   * Asks for its status.
   *
   * @param patience for the answer
   * @throws IOException if it does not answer: it is starting, ending, hanging, or dead
   */
  public AgentStatus status(Duration patience) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        Deadline deadline = Deadline.of(channel, patience)) {
      Json status = ask(channel, "status", "status", deadline, patience);
      try {
        return AgentStatus.fromJson(status);
      } catch (IllegalArgumentException e) {
        throw new IOException("it answers what this version does not know: " + e.getMessage(), e);
      }
    }
  }

  /**
   * Asks it to stop, and waits until its process has ended.
   *
   * @param patience for all of it
   * @throws IOException if it does not answer, or still runs when the time is over
   */
  public void stop(Duration patience) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        Deadline deadline = Deadline.of(channel, patience)) {
      ask(channel, "stop", "stopping", deadline, patience);
      try {
        while (channel.read(ByteBuffer.allocate(1)) >= 0) {
          // Nothing is said any more; the end is what we wait for.
        }
      } catch (AsynchronousCloseException e) {
        throw new IOException("it still runs after " + patience.toSeconds() + " s", e);
      }
    }
  }

  private Json ask(
      SocketChannel channel, String request, String answer, Deadline deadline, Duration patience)
      throws IOException {
    try {
      channel.connect(UnixDomainSocketAddress.of(path.resolve("control")));
      ControlLine.write(channel, new Json.Obj(Map.of("request", Json.of(request))));
      Json got = ControlLine.read(channel, MAX_ANSWER);
      Json value = got instanceof Json.Obj members ? members.get(answer) : null;
      if (value == null) {
        throw new IOException("it answers: " + got);
      }
      return value;
    } catch (IOException e) {
      if (deadline.expired()) {
        throw new IOException("it does not answer within " + patience.toSeconds() + " s", e);
      }
      throw e;
    }
  }
}
