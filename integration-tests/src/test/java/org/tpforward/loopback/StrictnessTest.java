package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

/** What the loopback CM offers under each profile, and whom it turns away. */
class StrictnessTest {
  private static final SocketKind CREDENTIALS =
      new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS);
  private static final SocketKind PORT = new SocketKind(AddressType.IPV4, AccessControl.PORT);

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private PrivateDaemon daemon;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private TestClient alice;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private TestClient bob;

  private String sending = "";
  private String receiving = "";

  private void start(Profile profile) throws Exception {
    daemon = PrivateDaemon.start(directory);
    daemon.startCm(profile);
    alice = TestClient.connect(daemon.socket(), "alice");
    bob = TestClient.connect(daemon.socket(), "bob");
    sending = alice.create(TestClient.file("bob", 1_000_000));
    receiving = bob.awaitChannel();
  }

  @AfterEach
  void stop() {
    alice.close();
    bob.close();
    daemon.close();
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void offersWhatItsProfileSays(Profile profile) throws Exception {
    start(profile);
    Value offered = bob.property(receiving, Names.FILE_TRANSFER, "AvailableSocketTypes");
    assertThat(((Value.Dict) offered).entries().stream().map(e -> e.key() + ": " + e.value()))
        .containsExactlyInAnyOrderElementsOf(
            new SocketAbilities(java.util.Set.copyOf(expected(profile)))
                .toValue().entries().stream().map(e -> e.key() + ": " + e.value()).toList());
    for (SocketKind kind : SocketKind.ALL) {
      if (!expected(profile).contains(kind)) {
        assertThat(
                bob.errorOf(
                    receiving,
                    Names.FILE_TRANSFER,
                    "AcceptFile",
                    Value.u(kind.type().code()),
                    Value.u(kind.access().code()),
                    Value.v(Value.of("")),
                    Value.t(0)))
            .isEqualTo("NotImplemented");
      }
    }
  }

  private static List<SocketKind> expected(Profile profile) {
    return switch (profile) {
      case GABBLE ->
          List.of(
              new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST),
              new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
              new SocketKind(AddressType.IPV6, AccessControl.LOCALHOST));
      case FULL -> SocketKind.ALL;
      case TCP_ONLY ->
          List.of(
              new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
              new SocketKind(AddressType.IPV4, AccessControl.PORT),
              new SocketKind(AddressType.IPV6, AccessControl.LOCALHOST),
              new SocketKind(AddressType.IPV6, AccessControl.PORT));
      case CREDENTIALS_ONLY -> List.of(CREDENTIALS);
    };
  }

  private void awaitAdmitted(TestClient who, String channel) throws Exception {
    who.await(Names.CM_PATH, "Admitted", body -> body.equals(List.of(Value.o(channel))));
  }

  private String awaitRefused(TestClient who, String channel) throws Exception {
    List<Value> body =
        who.await(Names.CM_PATH, "Refused", b -> b.get(0).equals(Value.o(channel))).body();
    return ((Value.Str) body.get(1)).value();
  }

  @Test
  void aByteWithoutCredentialsIsNobodys() throws Exception {
    start(Profile.CREDENTIALS_ONLY);
    Endpoint where = FileClient.accept(bob, receiving, CREDENTIALS, Value.y(7), 0);

    // A plain write, as sshd does it; before the CM's accept the kernel adds credentials to it.
    try (SocketChannel plain = SocketChannel.open(address(where))) {
      awaitAccepted(where);
      plain.write(ByteBuffer.wrap(new byte[] {7}));
      assertThat(plain.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
    assertThat(awaitRefused(bob, receiving)).contains("credentials");

    try (Connection _ = FileClient.connect(CREDENTIALS, where, null)) {
      awaitAdmitted(bob, receiving);
    }
  }

  /** Waits until the kernel lists a connection to a socket whose accepted end has an inode. */
  static void awaitAccepted(Endpoint where) throws IOException {
    String path = ((Endpoint.UnixPath) where).path();
    // Num RefCount Protocol Flags Type St Inode Path; St 03 is connected.
    while (Files.readAllLines(Path.of("/proc/net/unix")).stream()
        .map(line -> line.split(" +", 8))
        .noneMatch(
            f -> f.length == 8 && f[7].equals(path) && f[5].equals("03") && !f[6].equals("0"))) {
      Thread.onSpinWait();
    }
  }

  static UnixDomainSocketAddress address(Endpoint where) {
    return UnixDomainSocketAddress.of(((Endpoint.UnixPath) where).path());
  }

  @Test
  void aConnectionThatEndsWithoutAByteIsRefused() throws Exception {
    start(Profile.CREDENTIALS_ONLY);
    Endpoint where = FileClient.provide(alice, sending, CREDENTIALS, Value.y(7));
    SocketChannel.open(address(where)).close();
    assertThat(awaitRefused(alice, sending)).contains("closed before it sent the credential byte");
  }

  @Test
  void oneThatSendsNoByteDoesNotKeepTheOthersWaiting() throws Exception {
    start(Profile.CREDENTIALS_ONLY);
    Endpoint where = FileClient.provide(alice, sending, CREDENTIALS, Value.y(7));
    try (SocketChannel _ = SocketChannel.open(address(where));
        Connection _ = FileClient.connect(CREDENTIALS, where, null)) {
      awaitAdmitted(alice, sending);
    }
  }

  @Test
  void dataInTheSameReadAsTheByteEndTheConnection() throws Exception {
    start(Profile.CREDENTIALS_ONLY);
    Endpoint where = FileClient.provide(alice, sending, CREDENTIALS, Value.y(7));
    try (SocketChannel hasty = SocketChannel.open(address(where))) {
      hasty.write(ByteBuffer.wrap(new byte[] {7, 1, 2, 3}));
      assertThat(awaitRefused(alice, sending)).contains("same read");
    }
  }

  @Test
  void underPortOnlyTheNamedAddressMayConnect() throws Exception {
    start(Profile.TCP_ONLY);
    Endpoint.Ip from = FileClient.freePort(PORT);
    Endpoint.Ip where =
        (Endpoint.Ip) FileClient.accept(bob, receiving, PORT, FileClient.parameter(PORT, from), 0);

    try (SocketChannel stranger =
        SocketChannel.open(new InetSocketAddress(where.address(), where.port()))) {
      assertThat(awaitRefused(bob, receiving)).contains("not from");
      assertThat(stranger.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
    try (Connection _ = FileClient.connect(PORT, where, from)) {
      awaitAdmitted(bob, receiving);
    }
  }

  @Test
  void aFilesSocketTakesOneConnection() throws Exception {
    start(Profile.GABBLE);
    SocketKind kind = new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST);
    Endpoint where = FileClient.accept(bob, receiving, kind, Value.of(""), 0);
    try (Connection _ = FileClient.connect(kind, where, null)) {
      awaitAdmitted(bob, receiving);
      assertThat(isTurnedAway(kind, where)).isTrue();
    }
  }

  /** Refused, or cut off by a listener that is just closing. */
  private static boolean isTurnedAway(SocketKind kind, Endpoint where) {
    try (Connection late = FileClient.connect(kind, where, null)) {
      return FileClient.isDisconnected(late);
    } catch (IOException e) {
      return true;
    }
  }
}
