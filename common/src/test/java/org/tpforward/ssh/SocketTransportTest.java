package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Duplex;

@Timeout(60)
class SocketTransportTest {
  @TempDir Path directory;

  /** A ProxyCommand is reached like this: something behind a Unix socket leads to the server. */
  @Test
  void carriesASessionOverAnySocketChannel() throws Exception {
    UnixDomainSocketAddress door = UnixDomainSocketAddress.of(directory.resolve("door"));
    try (Sshd sshd = new Sshd(directory);
        ServerSocketChannel doorman = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      doorman.bind(door);
      var bridge =
          Bytes.async(() -> {
            try (SocketChannel outer = doorman.accept();
                SocketChannel inner =
                    SocketChannel.open(
                        new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), sshd.port()))) {
              var back = Bytes.async(() -> copy(inner, outer));
              copy(outer, inner);
              inner.shutdownOutput();
              back.join();
            }
            return null;
          });
      try (SshSessions client =
              new SshSessions(sshd, (remote, local, timeout) -> SocketChannel.open(door));
          Service service = new Service(directory, "service");
          Duplex near = SshChannels.open(client.session(), service.endpoint(), SshSessions.BOUND);
          SocketChannel far = service.accept()) {
        Bytes.write(near, "through the door");
        assertThat(Bytes.text(far, 16)).isEqualTo("through the door");
      }
      // It ends with the connection; who was writing then is told so, and that is all right.
      bridge.handle((done, failure) -> done).join();
    }
  }

  private static Void copy(ByteChannel from, ByteChannel to) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(32 << 10);
    while (from.read(buffer.clear()) >= 0) {
      buffer.flip();
      while (buffer.hasRemaining()) {
        to.write(buffer);
      }
    }
    return null;
  }

  @Test
  void itsThreadsAndDescriptorsEndWithTheConnection() throws Exception {
    try (Sshd sshd = new Sshd(directory);
        Service service = new Service(directory, "service")) {
      List<Thread> threads;
      List<String> before = openFiles();
      try (SshSessions client = new SshSessions(sshd);
          Duplex near = SshChannels.open(client.session(), service.endpoint(), SshSessions.BOUND);
          SocketChannel far = service.accept()) {
        // Enough for the socket to take no more, so that the second thread has work.
        var flood = Bytes.async(() -> Bytes.send(near, 1, 32 << 20));
        var read = Bytes.async(() -> Bytes.drain(far));
        flood.join();
        near.shutdownOutput();
        read.join();
        threads = threadsOf(sshd);
        assertThat(threads).isNotEmpty();
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(openFiles()).containsExactlyInAnyOrderElementsOf(before);
    }
  }

  private static List<Thread> threadsOf(Sshd sshd) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().matches("ssh-.*:" + sshd.port()))
        .toList();
  }

  /** What sockets and selectors this process has open, and not its jars. */
  private static List<String> openFiles() throws IOException {
    List<String> open = new ArrayList<>();
    try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path link : links) {
        String target = targetOf(link);
        if (target.startsWith("socket:") || target.startsWith("anon_inode:")) {
          open.add(target);
        }
      }
    }
    return open;
  }

  private static String targetOf(Path link) throws IOException {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (NoSuchFileException e) {
      return "the directory's own descriptor";
    }
  }

  @Test
  void servesAServerToo() throws Exception {
    SshServer server = SshServer.setUpDefaultServer();
    server.setIoServiceFactoryFactory(new SocketTransport());
    server.setHost("127.0.0.1");
    server.setKeyPairProvider(new SimpleGeneratorHostKeyProvider(directory.resolve("host")));
    server.setPasswordAuthenticator((user, password, session) -> password.equals("secret"));
    server.start();
    try (SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE)) {
      client.start();
      try (var session =
          client
              .connect("user", "127.0.0.1", server.getPort())
              .verify(SshSessions.BOUND)
              .getClientSession()) {
        session.addPasswordIdentity("secret");
        session.auth().verify(SshSessions.BOUND);
        assertThat(session.isAuthenticated()).isTrue();
      }
    } finally {
      server.stop(true);
    }
    assertThat(server.getBoundAddresses()).isEmpty();
  }

  @Test
  void givesUpConnectingInTime() throws Exception {
    List<SocketChannel> fill = new ArrayList<>();
    try (ServerSocket full = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      // Nobody accepts: once the backlog is full the kernel answers no more.
      InetSocketAddress address = (InetSocketAddress) full.getLocalSocketAddress();
      assertThatThrownBy(
              () -> {
                while (true) {
                  fill.add(Dialer.tcp().dial(address, null, Duration.ofMillis(200)));
                }
              })
          .isInstanceOf(SocketTimeoutException.class);
    } finally {
      for (SocketChannel channel : fill) {
        channel.close();
      }
    }
  }

  @Test
  void saysWhyItCannotConnect() throws Exception {
    int port;
    try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      port = gone.getLocalPort();
    }
    try (SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE)) {
      client.start();
      assertThatThrownBy(() -> client.connect("user", "127.0.0.1", port).verify(SshSessions.BOUND))
          .hasCauseInstanceOf(ConnectException.class);
    }
  }

  @Test
  void anEndOfTheServerBeforeAnySshIsAFailure() throws Exception {
    try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE)) {
      client.start();
      var session =
          client
              .connect("user", "127.0.0.1", mute.getLocalPort())
              .verify(SshSessions.BOUND)
              .getClientSession();
      mute.accept().close();
      assertThatThrownBy(() -> session.auth().verify(SshSessions.BOUND))
          .isInstanceOf(IOException.class);
    }
  }
}
