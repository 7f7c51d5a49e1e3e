package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Consumer;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.client.session.ClientSession.ClientSessionEvent;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.helpers.AbstractConnectionService;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.channel.AbstractServerChannel;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/** What no sshd does: a server that keeps no rule. */
@Timeout(60)
class HostileServerTest {
  private static final Endpoint TARGET = new Endpoint.UnixPath("/any");

  @TempDir Path directory;
  private SshServer server;
  private SshClient client;
  private ClientSession session;
  private volatile Consumer<ServerChannel> behaviour = channel -> {};
  private volatile boolean confirms = true;

  @BeforeEach
  void start() throws Exception {
    server = SshServer.setUpDefaultServer();
    server.setIoServiceFactoryFactory(new SocketTransport());
    server.setHost("127.0.0.1");
    server.setKeyPairProvider(new SimpleGeneratorHostKeyProvider(directory.resolve("host")));
    server.setPasswordAuthenticator((user, password, session) -> true);
    server.setChannelFactories(List.of(new Factory()));
    server.start();
    client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE);
    client.start();
    session =
        client
            .connect("user", "127.0.0.1", server.getPort())
            .verify(SshSessions.BOUND)
            .getClientSession();
    session.addPasswordIdentity("any");
    session.auth().verify(SshSessions.BOUND);
  }

  @AfterEach
  void stop() throws IOException {
    client.stop();
    server.stop(true);
  }

  private Duplex open() throws IOException {
    return SshChannels.open(session, TARGET, SshSessions.BOUND);
  }

  @Test
  void aChannelClosedWithoutEofIsNotAnEnd() throws Exception {
    behaviour =
        channel -> {
          channel.data("part");
          channel.close(false);
        };
    try (Duplex near = open()) {
      assertThat(Bytes.text(near, 4)).isEqualTo("part");
      assertThatThrownBy(() -> near.read(ByteBuffer.allocate(1)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("before its end");
      assertThatThrownBy(() -> Bytes.write(near, "x")).isInstanceOf(IOException.class);
    }
    assertThat(session.isOpen()).isTrue();
  }

  /** A bug: who opened it waited until the time was up. */
  @Test
  void aChannelThatIsClosedInsteadOfOpenedFailsAtOnce() {
    confirms = false;
    behaviour = channel -> channel.send(SshConstants.SSH_MSG_CHANNEL_CLOSE);
    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("closed the channel and did not open it");
    assertThat(session.isOpen()).isTrue();
  }

  @Test
  void anEofBeforeTheCloseIsAnEnd() throws Exception {
    behaviour =
        channel -> {
          channel.data("all");
          channel.send(SshConstants.SSH_MSG_CHANNEL_EOF);
          channel.close(false);
        };
    try (Duplex near = open()) {
      assertThat(Bytes.text(near, 3)).isEqualTo("all");
      assertThat(near.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void aServerThatIgnoresTheWindowLosesItsSession() throws Exception {
    behaviour =
        channel -> {
          String block = "x".repeat(32 << 10);
          for (long sent = 0; sent <= 2 * ReceiveBudget.INITIAL; sent += block.length()) {
            channel.data(block);
          }
        };
    try (Duplex near = open()) {
      session.waitFor(EnumSet.of(ClientSessionEvent.CLOSED), 0);
      assertThatThrownBy(() -> Bytes.drain(near)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void dataThatClaimsToBeLongerThanItsPacketEndsTheSession() throws Exception {
    behaviour =
        channel -> {
          Buffer buffer = channel.begin(SshConstants.SSH_MSG_CHANNEL_DATA);
          buffer.putUInt(1000);
          buffer.putRawBytes(new byte[10]);
          channel.write(buffer);
        };
    try (Duplex near = open()) {
      session.waitFor(EnumSet.of(ClientSessionEvent.CLOSED), 0);
      assertThatThrownBy(() -> Bytes.drain(near)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void channelsThatNobodyAskedForAreRefused() throws Exception {
    behaviour =
        channel -> {
          for (String type :
              List.of(
                  RemoteListeners.FORWARDED_STREAMLOCAL,
                  RemoteListeners.FORWARDED_TCPIP,
                  "x11",
                  "auth-agent@openssh.com",
                  "session")) {
            Buffer buffer =
                channel.getSession().createBuffer(SshConstants.SSH_MSG_CHANNEL_OPEN, 128);
            buffer.putString(type);
            buffer.putUInt(99);
            buffer.putUInt(1000);
            buffer.putUInt(1000);
            buffer.putString("/tmp/.X11-unix/X0");
            buffer.putUInt(6000);
            buffer.putString("127.0.0.1");
            buffer.putUInt(1);
            channel.write(buffer);
          }
          // MINA's server does not know channel 99, and passes over the failures that come back.
          channel.data("done");
        };
    try (Duplex near = open()) {
      assertThat(Bytes.text(near, 4)).isEqualTo("done");
      assertThat(session.isOpen()).isTrue();
      assertThat(session.getService(AbstractConnectionService.class).getChannels()).hasSize(1);
    }
  }

  private final class Factory implements ChannelFactory {
    @Override
    public String getName() {
      return SshChannels.DIRECT_STREAMLOCAL;
    }

    @Override
    public Channel createChannel(Session session) {
      return new ServerChannel();
    }
  }

  /** Opens, and does what the test says. */
  private final class ServerChannel extends AbstractServerChannel {
    ServerChannel() {
      super("", List.of(), null);
    }

    @Override
    protected OpenFuture doInit(Buffer buffer) {
      OpenFuture opened = confirms ? super.doInit(buffer) : new DefaultOpenFuture("", null);
      behaviour.accept(this);
      return opened;
    }

    Buffer begin(byte command) {
      Buffer buffer = getSession().createBuffer(command, 64);
      buffer.putUInt(getRecipient());
      return buffer;
    }

    void write(Buffer buffer) {
      try {
        getSession().writePacket(buffer);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void send(byte command) {
      write(begin(command));
    }

    void data(String text) {
      Buffer buffer = begin(SshConstants.SSH_MSG_CHANNEL_DATA);
      buffer.putString(text);
      write(buffer);
    }

    @Override
    protected void doWriteData(byte[] data, int offset, long length) {}

    @Override
    protected void doWriteExtendedData(byte[] data, int offset, long length) {}
  }
}
