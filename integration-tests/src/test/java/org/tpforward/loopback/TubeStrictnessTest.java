package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketAbilities;
import org.tpforward.telepathy.SocketKind;

/** What the loopback CM's tubes take under each profile, and whom their sockets turn away. */
class TubeStrictnessTest {
  private static final SocketKind UNIX = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
  private static final SocketKind CREDENTIALS =
      new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS);
  private static final SocketKind PORT = new SocketKind(AddressType.IPV6, AccessControl.PORT);

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private PrivateDaemon daemon;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private TestClient alice;

  @SuppressWarnings("NullAway.Init") // by start, first in each test
  private TestClient bob;

  private void start(Profile profile) throws Exception {
    daemon = PrivateDaemon.start(directory);
    daemon.startCm(profile);
    alice = TestClient.connect(daemon.socket(), "alice");
    bob = TestClient.connect(daemon.socket(), "bob");
  }

  @AfterEach
  void stop() {
    alice.close();
    bob.close();
    daemon.close();
  }

  private String create(String type) throws Exception {
    return alice.create(TestClient.tube(type, Handles.CONTACT, "bob", "a.service"));
  }

  private static String offer(TestClient who, String tube, SocketKind kind, Value address) {
    return who.errorOf(
        tube,
        Names.STREAM_TUBE,
        "Offer",
        Value.u(kind.type().code()),
        Value.v(address),
        Value.u(kind.access().code()),
        Value.dict(Map.of()));
  }

  private static Endpoint accept(TestClient who, String tube, SocketKind kind, Value parameter)
      throws Exception {
    List<Value> reply =
        who.call(
            tube,
            Names.STREAM_TUBE,
            "Accept",
            Value.u(kind.type().code()),
            Value.u(kind.access().code()),
            Value.v(parameter));
    return Addresses.parse(kind.type(), reply.get(0));
  }

  private static Set<SocketKind> kindsOf(Profile profile) {
    return switch (profile) {
      case GABBLE ->
          Set.of(
              UNIX,
              CREDENTIALS,
              new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
              new SocketKind(AddressType.IPV4, AccessControl.PORT),
              new SocketKind(AddressType.IPV6, AccessControl.LOCALHOST),
              PORT);
      case FULL -> Set.copyOf(SocketKind.ALL);
      case TCP_ONLY ->
          Set.of(
              new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
              new SocketKind(AddressType.IPV4, AccessControl.PORT),
              new SocketKind(AddressType.IPV6, AccessControl.LOCALHOST),
              PORT);
      case CREDENTIALS_ONLY -> Set.of(CREDENTIALS);
    };
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void takesTheSocketsOfItsProfileAndNoOthers(Profile profile) throws Exception {
    start(profile);
    Set<SocketKind> expected = kindsOf(profile);
    String offered = create(Names.STREAM_TUBE);
    Value said = alice.property(offered, Names.STREAM_TUBE, "SupportedSocketTypes");
    assertThat(SocketAbilities.of((Value.Dict) said)).isEqualTo(new SocketAbilities(expected));

    for (SocketKind kind : SocketKind.ALL) {
      if (!expected.contains(kind)) {
        assertThat(offer(alice, offered, kind, Value.of(""))).isEqualTo("NotImplemented");
      }
    }
    SocketKind any = expected.iterator().next();
    try (EchoService service = new EchoService(any, directory)) {
      assertThat(offer(alice, offered, any, service.address())).isEqualTo("none");
      String incoming = bob.awaitChannel();
      for (SocketKind kind : SocketKind.ALL) {
        if (!expected.contains(kind)) {
          assertThat(acceptError(incoming, kind)).isEqualTo("NotImplemented");
        }
      }
      assertThat(acceptError(incoming, any.type().code(), 2)).isEqualTo("NotImplemented");
      assertThat(acceptError(incoming, 17, 0)).isEqualTo("InvalidArgument");
    }
  }

  private String acceptError(String tube, SocketKind kind) {
    return acceptError(tube, kind.type().code(), kind.access().code());
  }

  private String acceptError(String tube, long type, long access) {
    return bob.errorOf(
        tube, Names.STREAM_TUBE, "Accept", Value.u(type), Value.u(access), Value.v(Value.of("")));
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void takesTheAccessControlsOfItsProfileForDBusTubes(Profile profile) throws Exception {
    start(profile);
    List<Integer> expected =
        switch (profile) {
          case GABBLE, FULL -> List.of(0, 3);
          case TCP_ONLY -> List.of(0);
          case CREDENTIALS_ONLY -> List.of(3);
        };
    String offered = create(Names.DBUS_TUBE);
    assertThat(alice.property(offered, Names.DBUS_TUBE, "SupportedAccessControls"))
        .isEqualTo(Value.array("u", expected.stream().map(Value::u).toArray(Value[]::new)));
    for (int access = 0; access < 4; access++) {
      if (!expected.contains(access)) {
        assertThat(offerDBus(offered, access)).isEqualTo("NotImplemented");
      }
    }
    assertThat(offerDBus(offered, 4)).isEqualTo("InvalidArgument");
    assertThat(offerDBus(offered, expected.get(0))).isEqualTo("none");
  }

  private String offerDBus(String tube, int access) {
    return alice.errorOf(tube, Names.DBUS_TUBE, "Offer", Value.dict(Map.of()), Value.u(access));
  }

  /** A tube that bob has accepted; alice's service has a kind of its own. */
  private Endpoint accepted(EchoService service, SocketKind kind, Value parameter)
      throws Exception {
    String offered = create(Names.STREAM_TUBE);
    assertThat(offer(alice, offered, CREDENTIALS, service.address())).isEqualTo("none");
    incoming = bob.awaitChannel();
    return accept(bob, incoming, kind, parameter);
  }

  private String incoming = "";

  private String awaitRefused() throws Exception {
    List<Value> body =
        bob.await(Names.CM_PATH, "Refused", b -> b.get(0).equals(Value.o(incoming))).body();
    return ((Value.Str) body.get(1)).value();
  }

  private void awaitAdmitted() throws Exception {
    bob.await(Names.CM_PATH, "Admitted", body -> body.equals(List.of(Value.o(incoming))));
  }

  @Test
  void aByteWithoutCredentialsOrWithDataBehindItEndsTheConnection() throws Exception {
    start(Profile.GABBLE);
    try (EchoService service = new EchoService(CREDENTIALS, directory)) {
      Endpoint where = accepted(service, CREDENTIALS, Value.y(7));
      try (SocketChannel plain = SocketChannel.open(StrictnessTest.address(where))) {
        StrictnessTest.awaitAccepted(where);
        plain.write(ByteBuffer.wrap(new byte[] {7}));
        assertThat(plain.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThat(awaitRefused()).contains("credentials");
      }
      try (SocketChannel hasty = SocketChannel.open(StrictnessTest.address(where))) {
        hasty.write(ByteBuffer.wrap(new byte[] {7, 1, 2, 3}));
        assertThat(awaitRefused()).contains("same read");
      }
      try (Connection connection = FileClient.connect(CREDENTIALS, where, null)) {
        awaitAdmitted();
        FileClient.write(connection, new byte[] {1, 2, 3});
        connection.shutdownOutput();
        assertThat(FileClient.readAll(connection)).containsExactly(1, 2, 3);
      }
    }
  }

  @Test
  void underPortOnlyTheNamedAddressMayConnect() throws Exception {
    start(Profile.GABBLE);
    Endpoint.Ip from = FileClient.freePort(PORT);
    try (EchoService service = new EchoService(CREDENTIALS, directory)) {
      Endpoint.Ip where = (Endpoint.Ip) accepted(service, PORT, FileClient.parameter(PORT, from));
      try (SocketChannel stranger =
          SocketChannel.open(new InetSocketAddress(where.address(), where.port()))) {
        assertThat(awaitRefused()).contains("not from");
        assertThat(stranger.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      }
      try (Connection _ = FileClient.connect(PORT, where, from)) {
        awaitAdmitted();
      }
    }
  }

  @Test
  void underPortAnAddressIsNeeded() throws Exception {
    start(Profile.GABBLE);
    try (EchoService service = new EchoService(CREDENTIALS, directory)) {
      Endpoint _ = accepted(service, UNIX, Value.of(""));
      String second =
          alice.create(TestClient.tube(Names.STREAM_TUBE, Handles.CONTACT, "bob", "another"));
      assertThat(offer(alice, second, CREDENTIALS, service.address())).isEqualTo("none");
      assertThat(acceptError(bob.awaitChannel(), PORT)).isEqualTo("InvalidArgument");
    }
  }

  @Test
  void aBacklogIsAsSmallAsGabbles() throws Exception {
    start(Profile.GABBLE);
    try (EchoService service = new EchoService(CREDENTIALS, directory)) {
      Endpoint where = accepted(service, UNIX, Value.of(""));
      assertThat(backlog(((Endpoint.UnixPath) where).path())).isEqualTo("5");
    }
  }

  /** Of a listening socket the column Send-Q of ss is its backlog. */
  private static String backlog(String path) throws IOException {
    Process ss = new ProcessBuilder("ss", "-xlnH").redirectErrorStream(true).start();
    String all = new String(ss.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return all.lines()
        .map(line -> line.trim().split("\\s+"))
        .filter(fields -> fields.length > 4 && fields[4].equals(path))
        .map(fields -> fields[3])
        .findFirst()
        .orElseThrow(() -> new IOException("ss (package iproute2) does not list " + path));
  }
}
