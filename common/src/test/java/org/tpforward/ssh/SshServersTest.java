package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.server.SshServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;

/** A server of ours and a client of ours; OpenSSH's client against it is an integration test. */
@Timeout(60)
class SshServersTest {
  private static final Duration BOUND = Duration.ofSeconds(30);
  private static final Charset US = StandardCharsets.US_ASCII;
  private static final Endpoint LISTENER = new Endpoint.UnixPath("/run/listener");

  private final BlockingQueue<Asked> asked = new LinkedBlockingQueue<>();
  private final BlockingQueue<Session> listening = new LinkedBlockingQueue<>();
  private final List<Endpoint> cancelled = new CopyOnWriteArrayList<>();
  private SshServer server;
  private SshClient client;
  private ClientSession session;

  private record Asked(ServerRequests.Request request, Incoming incoming) {}

  private final class Recorder implements ServerRequests {
    @Override
    public void open(Session session, Request request, Incoming incoming) {
      asked.add(new Asked(request, incoming));
    }

    @Override
    public Endpoint listen(Session session, @Nullable Endpoint at, String wanted)
        throws IOException {
      if (LISTENER.equals(at)) {
        listening.add(session);
        return LISTENER;
      }
      if (at instanceof Endpoint.Ip(InetAddress address, int port) && port == 0) {
        listening.add(session);
        return new Endpoint.Ip(address, 4711);
      }
      throw new IOException("not here: " + wanted);
    }

    @Override
    public boolean cancel(Session session, Endpoint at) {
      return cancelled.add(at);
    }
  }

  @BeforeEach
  void start() throws Exception {
    var hostKey = SecurityUtils.getKeyPairGenerator("EC");
    hostKey.initialize(256);
    server =
        SshServers.newServer(
            KeyPairProvider.wrap(hostKey.generateKeyPair()),
            (user, key, at) -> true,
            new Recorder(),
            new Announcement(true, true, "/bus", "/run/listen"));
    server.setHost("127.0.0.1");
    server.setPort(0);
    server.start();
    client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE);
    client.start();
    session =
        client.connect("somebody", "127.0.0.1", server.getPort()).verify(BOUND).getClientSession();
    session.addPublicKeyIdentity(hostKey.generateKeyPair());
    session.auth().verify(BOUND);
  }

  @AfterEach
  void stop() throws IOException {
    client.stop();
    server.stop(true);
  }

  @Test
  void announcesWhatItCanBeforeItLetsIn() {
    assertThat(Announcement.of(session))
        .isEqualTo(new Announcement(true, true, "/bus", "/run/listen"));
  }

  @Test
  void whatIsUnusableInAnAnnouncementIsIgnored() {
    Announcement.received(session, "telepathy-bus@tpforward.org", "relative".getBytes(US));
    Announcement.received(session, "listen-directory@tpforward.org", "/x".repeat(50).getBytes(US));
    Announcement.received(session, "socket-credentials@tpforward.org", "9".getBytes(US));
    assertThat(Announcement.of(session)).isEqualTo(new Announcement(false, true, null, null));
  }

  @Test
  void opensWhatIsAcceptedAndEndsEachDirectionByItself() throws Exception {
    Endpoint target = new Endpoint.UnixAbstract("a name");
    var opening = Bytes.async(() -> SshChannels.open(session, target, BOUND, true));
    Asked one = take();
    assertThat(one.request().target()).isEqualTo(target);
    assertThat(one.request().wanted()).isEqualTo("@a name");
    try (Duplex far = one.incoming().accept();
        Duplex near = opening.join()) {
      var sent =
          Bytes.async(() -> {
            long checksum = Bytes.send(near, 1, 3 << 20);
            near.shutdownOutput();
            return checksum;
          });
      assertThat(Bytes.drain(far).checksum()).isEqualTo(sent.join());
      var back =
          Bytes.async(() -> {
            long checksum = Bytes.send(far, 2, 3 << 20);
            far.shutdownOutput();
            return checksum;
          });
      assertThat(Bytes.drain(near).checksum()).isEqualTo(back.join());
    }
  }

  @Test
  void tellsTheClientWhyInWordsOfItsOwn() throws Exception {
    var opening =
        Bytes.async(() -> SshChannels.open(session, new Endpoint.UnixPath("/etc/passwd"), BOUND));
    take().incoming().refuse("nobody handed that out");
    assertThatExceptionOfType(CompletionException.class)
        .isThrownBy(opening::join)
        .havingCause()
        .isInstanceOf(ChannelOpenFailedException.class)
        .withMessageContaining("nobody handed that out")
        .satisfies(e ->
            assertThat(((ChannelOpenFailedException) e).code())
                .isEqualTo(ChannelOpenFailedException.PROHIBITED));
    assertThat(session.isOpen()).isTrue();
  }

  @Test
  void aShellIsAskedForLikeAnyChannelAndHasNoTarget() throws Exception {
    var shell = session.createShellChannel();
    var opening = shell.open();
    Asked one = take();
    assertThat(one.request()).isEqualTo(new ServerRequests.Request("session", "", null));
    one.incoming().refuse("no shell here");
    opening.await(BOUND);
    assertThat(opening.getException()).hasMessageContaining("no shell here");
  }

  @Test
  void aNameThatIsNoLiteralAddressHasNoTarget() throws Exception {
    assertThat(RequestedChannel.tcp("example.org", 80)).isNull();
    assertThat(RequestedChannel.tcp("localhost", 70000)).isNull();
    assertThat(RequestedChannel.tcp("localhost", 80)).isNotNull();
    assertThat(RequestedChannel.streamlocal("relative")).isNull();
    assertThat(RequestedChannel.streamlocal("/a\0b")).isNull();
    assertThat(RequestedChannel.streamlocal("\0")).isNull();
  }

  @Test
  void listensForAClientAndOpensAChannelForEachConnection() throws Exception {
    BlockingQueue<Incoming> incoming = new LinkedBlockingQueue<>();
    Session atServer;
    try (RemoteListener listener =
        RemoteListeners.listen(session, LISTENER, BOUND, incoming::add)) {
      assertThat(listener.endpoint()).isEqualTo(LISTENER);
      atServer = listening.take();
      var opening = Bytes.async(() -> SshServers.openForwarded(atServer, LISTENER, null, BOUND));
      try (Duplex near = poll(incoming).accept();
          Duplex far = opening.join()) {
        Bytes.write(far, "hello");
        assertThat(Bytes.text(near, 5)).isEqualTo("hello");
      }
    }
    // Requests are handled in order, so the cancel has been once this is refused.
    assertThatExceptionOfType(ListenRefusedException.class)
        .isThrownBy(() ->
            RemoteListeners.listen(session, new Endpoint.UnixPath("/elsewhere"), BOUND, i -> {}))
        .withMessageContaining("not here: /elsewhere");
    assertThat(new ArrayList<>(cancelled)).containsExactly(LISTENER);
  }

  @Test
  void choosesAPortAndNamesTheOriginator() throws Exception {
    BlockingQueue<Incoming> incoming = new LinkedBlockingQueue<>();
    Endpoint any = new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 0);
    try (RemoteListener listener = RemoteListeners.listen(session, any, BOUND, incoming::add)) {
      Endpoint chosen = new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 4711);
      assertThat(listener.endpoint()).isEqualTo(chosen);
      Session atServer = listening.take();
      InetSocketAddress from = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 4712);
      var opening = Bytes.async(() -> SshServers.openForwarded(atServer, chosen, from, BOUND));
      Incoming one = poll(incoming);
      assertThat(one.originator()).isEqualTo(from);
      one.refuse("not wanted");
      assertThatExceptionOfType(CompletionException.class)
          .isThrownBy(opening::join)
          .withMessageContaining("not wanted");
    }
  }

  /** OpenSSH's client asks for {@code localhost}, and finds its forward by that word only. */
  @Test
  void namesAListenerByTheClientsOwnWord() throws Exception {
    Buffer request = session.createBuffer(SshConstants.SSH_MSG_GLOBAL_REQUEST);
    request.putString("tcpip-forward");
    request.putBoolean(true);
    request.putString("localhost");
    request.putUInt(0);
    CompletableFuture<Long> port = new CompletableFuture<>();
    session.request(request, "tcpip-forward", (command, reply) -> port.complete(reply.getUInt()));
    Endpoint.Ip bound =
        new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), (int) (long) port.join());
    assertThat(ListenerNames.of(poll(listening)).get(bound)).isEqualTo("localhost");
  }

  @Test
  void offersNothingThatIsWeak() {
    assertThat(server.getKeyExchangeFactories().stream().map(k -> k.getName()).toList())
        .startsWith("mlkem768x25519-sha256")
        .contains("sntrup761x25519-sha512@openssh.com", "curve25519-sha256")
        .noneMatch(name -> name.contains("sha1") || name.contains("group14"));
    assertThat(server.getMacFactoriesNameList()).contains("etm").doesNotContain("sha1");
    assertThat(server.getMacFactories()).allMatch(mac -> mac.getName().contains("-etm@"));
    assertThat(server.getCipherFactories())
        .noneMatch(cipher -> cipher.getName().contains("cbc") || cipher.getName().contains("3des"));
    assertThat(server.getSignatureFactoriesNames())
        .contains("ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256")
        .doesNotContain("ssh-rsa", "ssh-dss");
    assertThat(server.getUserAuthFactories().stream().map(f -> f.getName()).toList())
        .containsExactly("publickey");
  }

  private Asked take() throws InterruptedException {
    return poll(asked);
  }

  private static <T> T poll(BlockingQueue<T> queue) throws InterruptedException {
    T next = queue.poll(30, TimeUnit.SECONDS);
    assertThat(next).isNotNull();
    return Objects.requireNonNull(next);
  }
}
