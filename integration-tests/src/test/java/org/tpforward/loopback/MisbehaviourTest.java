package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tpforward.loopback.FileChannel.State.CANCELLED;
import static org.tpforward.loopback.FileChannel.State.COMPLETED;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/** The loopback CM is started by the bus, and does wrong what it is asked to do wrong. */
class MisbehaviourTest {
  private static final SocketKind UNIX = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
  private static final int SIZE = 300_000;

  @TempDir private Path directory;
  private PrivateDaemon daemon;
  private TestClient alice;
  private TestClient bob;
  private String sending = "";
  private String receiving = "";

  @BeforeEach
  void start() throws Exception {
    daemon = PrivateDaemon.start(directory);
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String command =
        "%s -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED -cp %s %s"
            .formatted(java, System.getProperty("java.class.path"), LoopbackCm.class.getName());
    ServiceFile.write(daemon.services(), command + " --socket-dir " + daemon.sockets());
    alice = TestClient.connect(daemon.socket(), "alice");
    bob = TestClient.connect(daemon.socket(), "bob");
    sending = alice.create(TestClient.file("bob", SIZE));
    receiving = bob.awaitChannel();
  }

  @AfterEach
  void stop() {
    alice.close();
    bob.close();
    daemon.close();
  }

  /** Sends the file, and reads to the end of the stream. */
  private byte[] transfer() throws Exception {
    Endpoint to = FileClient.accept(bob, receiving, UNIX, Value.of(""), 0);
    Endpoint from = FileClient.provide(alice, sending, UNIX, Value.of(""));
    Connection source = FileClient.connect(UNIX, from, null);
    try (Connection sink = FileClient.connect(UNIX, to, null)) {
      Thread writer =
          Thread.startVirtualThread(() -> {
            try (source) {
              FileClient.write(source, FileClient.bytes(SIZE, 1));
            } catch (java.io.IOException e) {
              // The CM has cut the connection, as it was told.
            }
          });
      byte[] read = FileClient.readAll(sink);
      writer.join();
      return read;
    }
  }

  @Test
  void cutsTheSocketsAndSaysNothing() throws Exception {
    alice.misbehave("cut-after", Value.t(100_000));
    assertThat(transfer()).isEqualTo(first(100_000));
    assertThat(bob.property(receiving, Names.FILE_TRANSFER, "State")).isEqualTo(Value.u(3));
  }

  private static byte[] first(int length) {
    return java.util.Arrays.copyOf(FileClient.bytes(SIZE, 1), length);
  }

  @Test
  void cancelsInTheMiddle() throws Exception {
    alice.misbehave("cancel-after", Value.t(100_000));
    assertThat(transfer()).isEqualTo(first(100_000));
    assertThat(bob.awaitState(receiving, CANCELLED)).isEqualTo(3);
    assertThat(alice.awaitState(sending, CANCELLED)).isEqualTo(3);
  }

  @Test
  void closesBothChannelsInTheMiddle() throws Exception {
    alice.misbehave("close-after", Value.t(100_000));
    assertThat(transfer()).isEqualTo(first(100_000));
    alice.await(sending, "Closed");
    bob.await(receiving, "Closed");
  }

  @Test
  void diesInTheMiddleAndLeavesTheBus() throws Exception {
    alice.misbehave("vanish-after", Value.t(100_000));
    assertThat(transfer()).isEqualTo(first(100_000));
    bob.await(
        "/org/freedesktop/DBus",
        "NameOwnerChanged",
        body -> body.get(0).equals(Value.of(Names.CM_NAME)) && body.get(2).equals(Value.of("")));
  }

  @Test
  void givesItsNamesUp() throws Exception {
    alice.callCm(Misbehaviour.INTERFACE, "Vanish", Value.of("release"));
    bob.await(
        "/org/freedesktop/DBus",
        "NameOwnerChanged",
        body ->
            body.get(0).equals(Value.of(Names.CONNECTION_NAME + "bob"))
                && body.get(2).equals(Value.of("")));
  }

  @Test
  void pausesUntilItIsResumed() throws Exception {
    alice.misbehave("pause-after", Value.t(100_000));
    Thread resumer =
        Thread.startVirtualThread(() -> {
          try {
            bob.await(
                receiving, "TransferredBytesChanged", body -> body.get(0).equals(Value.t(100_000)));
            alice.callCm(Misbehaviour.INTERFACE, "Resume");
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
    assertThat(transfer()).isEqualTo(first(SIZE));
    resumer.join();
    bob.awaitState(receiving, COMPLETED);
  }

  @Test
  void refusesUntilItIsReset() throws Exception {
    alice.misbehave("refuse-accept", Value.of(true));
    assertThat(accept()).isEqualTo("NotAvailable");
    alice.callCm(Misbehaviour.INTERFACE, "Reset");
    assertThat(accept()).isEqualTo("none");
  }

  private String accept() {
    return bob.errorOf(
        receiving,
        Names.FILE_TRANSFER,
        "AcceptFile",
        Value.u(0),
        Value.u(0),
        Value.v(Value.of("")),
        Value.t(0));
  }

  @Test
  void answersWithWhateverItIsTold() throws Exception {
    Value elsewhere = Value.struct(Value.of("192.0.2.1"), Value.q(80));
    alice.misbehave("answer", elsewhere);
    List<Value> reply =
        bob.call(
            receiving,
            Names.FILE_TRANSFER,
            "AcceptFile",
            Value.u(0),
            Value.u(0),
            Value.v(Value.of("")),
            Value.t(0));
    assertThat(reply).containsExactly(Value.v(elsewhere));
  }

  @Test
  void answersLateAndTwice() throws Exception {
    alice.callCm(
        Misbehaviour.INTERFACE,
        "SetMisbehaviour",
        Value.dict(java.util.Map.of("delay-reply", Value.u(20), "reply-twice", Value.of(true))));
    assertThat(transfer()).isEqualTo(first(SIZE));
  }

  @Test
  void knowsNoOtherMisbehaviour() {
    assertThat(
            alice.errorOf(
                Names.CM_PATH,
                Misbehaviour.INTERFACE,
                "SetMisbehaviour",
                Value.dict(java.util.Map.of("sing", Value.of(true)))))
        .isEqualTo("InvalidArgument");
  }
}
