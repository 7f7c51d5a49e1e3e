package org.tpforward.it.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.agent.link.LinkException;
import org.tpforward.agent.link.LinkListener;
import org.tpforward.agent.link.LinkState;
import org.tpforward.agent.link.LinkTimes;
import org.tpforward.agent.link.SshLink;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/**
 * What happens when the connection goes. Of sshd, whose processes are killed and stopped one by
 * one; tpforward-server's loss is in LinkLossIT.
 */
@Timeout(60)
class LossIT {
  @TempDir Path directory;
  Sshd sshd;
  Desk desk;
  ServerSocketChannel service;
  Endpoint endpoint;
  final BlockingQueue<String> events = new LinkedBlockingQueue<>();

  @BeforeEach
  void start() throws Exception {
    sshd = Sshd.start(directory.resolve("server"));
    desk = new Desk(directory.resolve("home")).knows(sshd.knownHost("ed25519"));
    sshd.allow(Programs.key(desk.ssh.resolve("id_ed25519"), "ed25519"));
    desk.reconnect = true;
    Path path = directory.resolve("service");
    service = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    service.bind(UnixDomainSocketAddress.of(path));
    endpoint = new Endpoint.UnixPath(path.toString());
  }

  @AfterEach
  void stop() throws Exception {
    service.close();
    sshd.close();
  }

  private SshLink connect() throws Exception {
    SshLink link = desk.link(sshd);
    link.addListener(
        new LinkListener() {
          @Override
          public void onUp() {
            events.add("up");
          }

          @Override
          public void onDown(String reason) {
            events.add("down: " + reason);
          }
        });
    link.connect();
    link.settle();
    assertThat(events.take()).isEqualTo("up");
    return link;
  }

  private static void signal(String name, List<ProcessHandle> processes) throws Exception {
    for (ProcessHandle process : processes) {
      try {
        Programs.run("kill", "-" + name, Long.toString(process.pid()));
      } catch (IOException e) {
        // One that served a command may have ended by itself.
        if (process.isAlive()) {
          throw e;
        }
      }
    }
  }

  @Test
  void aReaderIsToldOfTheLossAndNeverOfAnEnd() throws Exception {
    try (SshLink link = connect();
        Duplex channel = link.open(endpoint);
        SocketChannel far = service.accept()) {
      far.write(ByteBuffer.wrap(new byte[10]));
      ByteBuffer read = ByteBuffer.allocate(10);
      while (read.hasRemaining()) {
        channel.read(read);
      }
      CompletableFuture<String> reader = new CompletableFuture<>();
      Thread.ofPlatform()
          .start(() -> {
            try {
              reader.complete("read " + channel.read(ByteBuffer.allocate(1)));
            } catch (IOException e) {
              // The listener has been called by now.
              reader.complete("broke after " + events.peek());
            }
          });
      signal("KILL", sshd.connections());
      assertThat(reader.get()).startsWith("broke after down: ");
    }
  }

  @Test
  void theLinkComesBackByItselfAndOpensWaitForIt() throws Exception {
    try (SshLink link = connect()) {
      signal("KILL", sshd.connections());
      assertThat(events.take()).startsWith("down: ");
      try (Duplex channel = link.open(endpoint)) {
        assertThat(channel.isOpen()).isTrue();
        assertThat(events.take()).isEqualTo("up");
        assertThat(link.state()).isInstanceOf(LinkState.Up.class);
      }
    }
  }

  @Test
  void thePassphraseIsAskedForOnlyOnce() throws Exception {
    Path key = desk.ssh.resolve("id_ed25519");
    Programs.run("ssh-keygen", "-q", "-p", "-N", "secret", "-f", key.toString());
    Path asked = directory.resolve("asked");
    Path askpass =
        Programs.script(directory.resolve("askpass"), "echo \"$1\" >> " + asked, "echo secret");
    desk.variables.put("SSH_ASKPASS", askpass.toString());
    desk.variables.put("SSH_ASKPASS_REQUIRE", "force");
    try (SshLink link = connect()) {
      signal("KILL", sshd.connections());
      assertThat(events.take()).startsWith("down: ");
      assertThat(events.take()).isEqualTo("up");
      assertThat(Files.readAllLines(asked)).hasSize(1);
      assertThat(link.state()).isInstanceOf(LinkState.Up.class);
    }
  }

  @Test
  void aServerThatWasAwayIsTriedAgainUntilItIsBack() throws Exception {
    try (SshLink link = connect()) {
      sshd.close();
      assertThat(events.take()).startsWith("down: ");
      LinkState state = link.state();
      while (!(state instanceof LinkState.Down down && down.reason().contains("refuses"))) {
        Thread.onSpinWait();
        state = link.state();
      }
      sshd.restart();
      link.retryNow();
      assertThat(events.take()).isEqualTo("up");
    }
  }

  @Test
  void aServerProcessThatIsStoppedIsFoundOutAndEndedOnceTheLinkIsBack() throws Exception {
    desk.times =
        new LinkTimes(
            Duration.ofSeconds(20),
            Duration.ofSeconds(20),
            Duration.ofSeconds(20),
            Duration.ofSeconds(20),
            Duration.ofSeconds(20),
            Duration.ofMillis(50),
            Duration.ofMillis(200),
            Duration.ofMillis(300));
    try (SshLink link = connect();
        Duplex channel = link.open(endpoint);
        SocketChannel far = service.accept()) {
      // The link learns the server's process in the background, by the first of two commands. A
      // command that is stopped with its sshd would stay so.
      sshd.awaitLog("Close session", 2);
      List<ProcessHandle> old = sshd.connections();
      assertThat(old).isNotEmpty();
      signal("STOP", old);
      assertThat(events.take()).contains("has not answered");
      assertThatExceptionOfType(IOException.class)
          .isThrownBy(() -> channel.read(ByteBuffer.allocate(1)));
      assertThat(events.take()).isEqualTo("up");
      // Ended before the link is up: the far service has seen the end of its connection.
      assertThat(far.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      old.forEach(process -> process.onExit().join());
      assertThat(sshd.connections()).isNotEmpty();
    }
  }

  @Test
  void aHostKeyThatChangedMeanwhileEndsTheTriesForGood() throws Exception {
    try (SshLink link = connect()) {
      Path key = sshd.hostKey("ed25519");
      sshd.close();
      Files.delete(key);
      Programs.key(key, "ed25519");
      sshd.restart();
      assertThat(events.take()).startsWith("down: ");
      assertThat(events.take()).startsWith("down: the host key of");
      LinkException e = catchThrowableOfType(LinkException.class, () -> link.open(endpoint));
      assertThat(e.reason()).isEqualTo(LinkException.Cause.HOST_KEY_CHANGED);
      assertThat(link.state()).isInstanceOf(LinkState.Down.class);
    }
  }

  @Test
  void withoutReconnectTheLossIsTheEnd() throws Exception {
    desk.reconnect = false;
    try (SshLink link = connect()) {
      signal("KILL", sshd.connections());
      assertThat(events.take()).startsWith("down: ");
      LinkException e = catchThrowableOfType(LinkException.class, () -> link.open(endpoint));
      assertThat(e.reason()).isEqualTo(LinkException.Cause.LOST);
    }
  }

  @Test
  void closingEndsWhoWaitsAndAllConnections() throws Exception {
    SshLink link = connect();
    sshd.close();
    assertThat(events.take()).startsWith("down: ");
    CompletableFuture<LinkException> waiting = new CompletableFuture<>();
    Thread waiter =
        Thread.ofPlatform()
            .start(() ->
                waiting.complete(
                    catchThrowableOfType(LinkException.class, () -> link.open(endpoint))));
    while (waiter.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    link.close();
    assertThat(waiting.get().reason()).isEqualTo(LinkException.Cause.CLOSED);
    assertThat(link.state()).isInstanceOf(LinkState.Closed.class);
  }
}
