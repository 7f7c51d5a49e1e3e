package org.tpforward.agent.link;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.ssh.Dialer;

/**
 * A ProxyCommand (ssh_config(5)): a process whose standard input and output lead to the server. The
 * transport wants a socket, so one end of a Unix socket pair is given to it and two threads copy
 * between the other end and the process. The pair is made through a private directory that is gone
 * again before {@link #dial} returns.
 *
 * <p>For one connection. The process ends with it: first by the end of its input, then by signals.
 */
final class ProxyProcess implements Dialer, Closeable {
  private static final Logger log = LoggerFactory.getLogger(ProxyProcess.class);
  private static final int BUFFER = 64 << 10;
  private static final long GRACE_SECONDS = 2;

  private final String command;
  private final UserEnvironment environment;
  private final boolean interactive;
  private volatile @Nullable Process process;
  private volatile @Nullable Thread errorReader;
  private volatile String lastWords = "";

  /**
   * @param command for /bin/sh, all tokens replaced
   * @param interactive whether the process may ask the user something
   */
  ProxyProcess(String command, UserEnvironment environment, boolean interactive) {
    this.command = command;
    this.environment = environment;
    this.interactive = interactive;
  }

  @Override
  public SocketChannel dial(SocketAddress remote, @Nullable SocketAddress local, Duration timeout)
      throws IOException {
    List<SocketChannel> pair = socketPair();
    try {
      ProcessBuilder builder = environment.process(List.of("/bin/sh", "-c", "exec " + command));
      if (!interactive) {
        builder.environment().put("SSH_ASKPASS_REQUIRE", "never");
      }
      Process started = builder.start();
      process = started;
      SocketChannel far = pair.get(1);
      Thread.ofPlatform()
          .daemon()
          .name("proxy-out")
          .start(() -> fromProcess(started.getInputStream(), far));
      Thread.ofPlatform().daemon().name("proxy-in").start(() -> toProcess(far, started));
      errorReader =
          Thread.ofPlatform()
              .daemon()
              .name("proxy-err")
              .start(() -> readErrors(started.getErrorStream()));
      return pair.get(0);
    } catch (IOException | RuntimeException e) {
      pair.get(0).close();
      pair.get(1).close();
      throw e;
    }
  }

  private static List<SocketChannel> socketPair() throws IOException {
    Path directory = Files.createTempDirectory("tpforward-proxy");
    Path socket = directory.resolve("s");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      SocketChannel near = SocketChannel.open(UnixDomainSocketAddress.of(socket));
      try {
        return List.of(near, server.accept());
      } catch (IOException | RuntimeException e) {
        near.close();
        throw e;
      }
    } finally {
      Files.deleteIfExists(socket);
      Files.delete(directory);
    }
  }

  private static void fromProcess(InputStream in, SocketChannel out) {
    byte[] buffer = new byte[BUFFER];
    try (in) {
      int count = in.read(buffer);
      while (count >= 0) {
        ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, count);
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
        count = in.read(buffer);
      }
      out.shutdownOutput();
    } catch (IOException e) {
      log.debug("the proxy's output ends", e);
    }
  }

  private static void toProcess(SocketChannel in, Process process) {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    try (in;
        OutputStream out = process.getOutputStream()) {
      while (in.read(buffer) >= 0) {
        out.write(buffer.array(), 0, buffer.position());
        out.flush();
        buffer.clear();
      }
    } catch (IOException e) {
      log.debug("the proxy's input ends", e);
    } finally {
      end(process);
    }
  }

  private static void end(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    try {
      if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
        process.destroy();
        children.forEach(ProcessHandle::destroy);
        if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          children.forEach(ProcessHandle::destroyForcibly);
        }
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private void readErrors(InputStream in) {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      while (line != null) {
        String shown = OneLine.of(line, 300);
        if (!shown.isEmpty()) {
          lastWords = shown;
          log.info("proxy: {}", shown);
        }
        line = lines.readLine();
      }
    } catch (IOException e) {
      log.debug("the proxy's errors end", e);
    }
  }

  /**
   * What became of the process, for a message: its exit status and its last words. Waits for it for
   * a moment.
   */
  String ending() {
    Process started = process;
    if (started == null) {
      return "could not be started";
    }
    try {
      boolean ended = started.waitFor(GRACE_SECONDS, TimeUnit.SECONDS);
      Thread reader = errorReader;
      if (ended && reader != null) {
        reader.join(Duration.ofSeconds(GRACE_SECONDS));
      }
      String status = ended ? "ended with status " + started.exitValue() : "is still running";
      return lastWords.isEmpty() ? status : status + ": " + lastWords;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "was not waited for";
    }
  }

  /** Whether the process has ended. */
  boolean hasEnded() {
    Process started = process;
    return started != null && !started.isAlive();
  }

  @Override
  public void close() {
    Process started = process;
    if (started != null && started.isAlive()) {
      started.destroy();
    }
  }
}
