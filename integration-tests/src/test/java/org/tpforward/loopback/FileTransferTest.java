package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.tpforward.loopback.FileChannel.State.ACCEPTED;
import static org.tpforward.loopback.FileChannel.State.CANCELLED;
import static org.tpforward.loopback.FileChannel.State.COMPLETED;
import static org.tpforward.loopback.FileChannel.State.OPEN;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/** A file from alice to bob through the loopback CM, on a real bus. */
class FileTransferTest {
  private static final SocketKind UNIX = new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST);
  private static final int SIZE = 1_000_000;

  @TempDir private static Path directory;
  private static PrivateDaemon daemon;
  private static int run;

  private TestClient alice;
  private TestClient bob;
  private String sending = "";
  private String receiving = "";

  @BeforeAll
  static void startTheCm() throws Exception {
    daemon = PrivateDaemon.start(directory);
    daemon.startCm(Profile.FULL);
  }

  @AfterAll
  static void stop() {
    daemon.close();
  }

  @BeforeEach
  void connect() throws Exception {
    run++;
    alice = TestClient.connect(daemon.socket(), "alice" + run);
    bob = TestClient.connect(daemon.socket(), "bob" + run);
  }

  @AfterEach
  void disconnect() throws Exception {
    alice.call(alice.path(), Names.CONNECTION, "Disconnect");
    bob.call(bob.path(), Names.CONNECTION, "Disconnect");
    alice.close();
    bob.close();
  }

  static List<SocketKind> kinds() {
    return SocketKind.ALL;
  }

  private void offer(long size) throws Exception {
    sending = alice.create(TestClient.file(bob.account(), size));
    receiving = bob.awaitChannel();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void arrivesWholeOverSocketsOfEveryKind(SocketKind kind) throws Exception {
    byte[] data = FileClient.bytes(SIZE, 1);
    offer(SIZE);
    Endpoint.Ip toPort = FileClient.freePort(kind);
    Endpoint to = FileClient.accept(bob, receiving, kind, FileClient.parameter(kind, toPort), 0);
    Endpoint.Ip fromPort = FileClient.freePort(kind);
    Endpoint from = FileClient.provide(alice, sending, kind, FileClient.parameter(kind, fromPort));
    bob.awaitState(receiving, OPEN);
    try (Connection sink = FileClient.connect(kind, to, toPort);
        Connection source = FileClient.connect(kind, from, fromPort)) {
      alice.awaitState(sending, OPEN);
      // Data that come in the same read as the byte of Credentials would end the connection.
      alice.await(Names.CM_PATH, "Admitted", body -> body.equals(List.of(Value.o(sending))));
      Thread writer =
          Thread.ofPlatform().start(() -> Unchecked.run(() -> FileClient.write(source, data)));
      assertThat(FileClient.readAll(sink)).isEqualTo(data);
      writer.join();
    }
    alice.awaitState(sending, COMPLETED);
    bob.awaitState(receiving, COMPLETED);
  }

  @Test
  void beginsAtTheOffsetThatTheReceiverAskedFor() throws Exception {
    byte[] data = FileClient.bytes(SIZE, 2);
    int offset = 600_000;
    offer(SIZE);
    Endpoint to = FileClient.accept(bob, receiving, UNIX, Value.of(""), offset);
    Endpoint from = FileClient.provide(alice, sending, UNIX, Value.of(""));
    alice.await(sending, "InitialOffsetDefined", body -> body.equals(List.of(Value.t(offset))));
    bob.await(receiving, "InitialOffsetDefined", body -> body.equals(List.of(Value.t(offset))));
    byte[] rest = Arrays.copyOfRange(data, offset, SIZE);
    try (Connection sink = FileClient.connect(UNIX, to, null);
        Connection source = FileClient.connect(UNIX, from, null)) {
      Thread writer =
          Thread.ofPlatform().start(() -> Unchecked.run(() -> FileClient.write(source, rest)));
      assertThat(FileClient.readAll(sink)).isEqualTo(rest);
      writer.join();
    }
    bob.awaitState(receiving, COMPLETED);
    assertThat(bob.property(receiving, Names.FILE_TRANSFER, "TransferredBytes"))
        .isEqualTo(Value.t(SIZE - offset));
    assertThat(alice.property(sending, Names.FILE_TRANSFER, "InitialOffset"))
        .isEqualTo(Value.t(offset));
  }

  @Test
  void tellsBothSidesTheStatesInOrderWithTheirReasons() throws Exception {
    transfer(100);

    assertThat(alice.statesOf(sending)).containsExactly(states(2, 0), states(3, 1), states(4, 0));
    assertThat(bob.statesOf(receiving)).containsExactly(states(2, 1), states(3, 0), states(4, 0));
  }

  private static List<Value> states(int state, int reason) {
    return List.of(Value.u(state), Value.u(reason));
  }

  /** Transfers a file, and reads it only when it is said to be complete. */
  private void transfer(int size) throws Exception {
    byte[] data = FileClient.bytes(size, 3);
    offer(size);
    Endpoint to = FileClient.accept(bob, receiving, UNIX, Value.of(""), 0);
    Endpoint from = FileClient.provide(alice, sending, UNIX, Value.of(""));
    try (Connection sink = FileClient.connect(UNIX, to, null);
        Connection source = FileClient.connect(UNIX, from, null)) {
      FileClient.write(source, data);
      assertThat(FileClient.readAll(sink)).isEqualTo(data);
    }
    // A signal goes before the reply to a later call, so all have come.
    bob.property(receiving, Names.FILE_TRANSFER, "State");
    alice.property(sending, Names.FILE_TRANSFER, "State");
  }

  @Test
  void anEmptyFileIsCompleteToo() throws Exception {
    offer(0);
    Endpoint to = FileClient.accept(bob, receiving, UNIX, Value.of(""), 0);
    Endpoint from = FileClient.provide(alice, sending, UNIX, Value.of(""));
    bob.awaitState(receiving, COMPLETED);
    try (Connection sink = FileClient.connect(UNIX, to, null);
        Connection source = FileClient.connect(UNIX, from, null)) {
      assertThat(FileClient.isDisconnected(sink)).isTrue();
      assertThat(FileClient.isDisconnected(source)).isTrue();
    }
  }

  @Test
  void aSecondAcceptOrProvideIsNotAvailable() throws Exception {
    offer(SIZE);
    FileClient.accept(bob, receiving, UNIX, Value.of(""), 0);
    FileClient.provide(alice, sending, UNIX, Value.of(""));

    assertThat(accept(0, 0, Value.of(""), 0)).isEqualTo("NotAvailable");
    assertThat(
            alice.errorOf(
                sending,
                Names.FILE_TRANSFER,
                "ProvideFile",
                Value.u(0),
                Value.u(0),
                Value.v(Value.of(""))))
        .isEqualTo("NotAvailable");
  }

  private String accept(int type, int access, Value parameter, long offset) {
    return bob.errorOf(
        receiving,
        Names.FILE_TRANSFER,
        "AcceptFile",
        Value.u(type),
        Value.u(access),
        Value.v(parameter),
        Value.t(offset));
  }

  @Test
  void whatDoesNotExistOrMakesNoSenseIsRefusedAndMayBeTriedAgain() throws Exception {
    offer(SIZE);

    assertThat(accept(9, 0, Value.of(""), 0)).isEqualTo("InvalidArgument");
    assertThat(accept(0, 9, Value.of(""), 0)).isEqualTo("InvalidArgument");
    assertThat(accept(0, 1, Value.of(""), 0)).isEqualTo("NotImplemented");
    assertThat(accept(2, 2, Value.of(""), 0)).isEqualTo("NotImplemented");
    assertThat(accept(2, 3, Value.y(0), 0)).isEqualTo("NotImplemented");
    assertThat(accept(2, 1, Value.u(4711), 0)).isEqualTo("InvalidArgument");
    assertThat(accept(0, 0, Value.of(""), SIZE + 1L)).isEqualTo("InvalidArgument");
    assertThat(accept(0, 0, Value.of(""), 0)).isEqualTo("none");
  }

  @Test
  void theSocketIsOpenToAllAndGoneAfterItsConnection() throws Exception {
    offer(SIZE);
    Endpoint to = FileClient.accept(bob, receiving, UNIX, Value.of(""), 0);
    Path path = Path.of(((Endpoint.UnixPath) to).path());
    assertThat(path).hasParent(daemon.sockets());
    assertThat(Files.getAttribute(path, "unix:mode")).isEqualTo(0140777);

    FileClient.provide(alice, sending, UNIX, Value.of(""));
    bob.call(receiving, Names.CHANNEL, "Close");
    assertThat(path).doesNotExist();
  }

  @Test
  void closingInTheMiddleCancelsForBothAndCutsTheSockets() throws Exception {
    offer(1L << 40);
    Endpoint to = FileClient.accept(bob, receiving, UNIX, Value.of(""), 0);
    Endpoint from = FileClient.provide(alice, sending, UNIX, Value.of(""));
    try (Connection sink = FileClient.connect(UNIX, to, null);
        Connection source = FileClient.connect(UNIX, from, null)) {
      FileClient.write(source, FileClient.bytes(SIZE / 10, 4));
      alice.call(sending, Names.CHANNEL, "Close");

      assertThat(alice.awaitState(sending, CANCELLED)).isEqualTo(2);
      assertThat(bob.awaitState(receiving, CANCELLED)).isEqualTo(3);
      alice.await(sending, "Closed");
      alice.await(alice.path(), "ChannelClosed");
      assertThat(FileClient.isDisconnected(source)).isTrue();
      assertThat(FileClient.readAll(sink)).hasSizeLessThanOrEqualTo(SIZE / 10);
    }
  }

  @Test
  void aSenderThatEndsEarlyBreaksTheTransfer() throws Exception {
    offer(SIZE);
    Endpoint to = FileClient.accept(bob, receiving, UNIX, Value.of(""), 0);
    Endpoint from = FileClient.provide(alice, sending, UNIX, Value.of(""));
    try (Connection sink = FileClient.connect(UNIX, to, null)) {
      try (Connection source = FileClient.connect(UNIX, from, null)) {
        FileClient.write(source, FileClient.bytes(SIZE / 10, 5));
      }
      assertThat(alice.awaitState(sending, CANCELLED)).isEqualTo(4);
      assertThat(bob.awaitState(receiving, CANCELLED)).isEqualTo(5);
      assertThat(FileClient.readAll(sink)).hasSizeLessThan(SIZE);
    }
  }

  @Test
  void aFileNeedsANameATypeASizeAndAPeerThatIsThere() {
    for (String name : List.of("Filename", "ContentType", "Size")) {
      Map<String, Value> request = TestClient.file(bob.account(), 1);
      request.remove(Names.FILE_TRANSFER + "." + name);
      assertThat(create(request)).isEqualTo("InvalidArgument");
    }
    assertThat(create(TestClient.file("nobody", 1))).isEqualTo("Offline");
  }

  private String create(Map<String, Value> request) {
    return alice.errorOf(alice.path(), Names.REQUESTS, "CreateChannel", Value.dict(request));
  }

  @Test
  void onlyTheReceiverAcceptsAndOnlyWhileTheTransferIsPending() throws Exception {
    offer(SIZE);
    assertThat(
            alice.errorOf(
                sending,
                Names.FILE_TRANSFER,
                "AcceptFile",
                Value.u(0),
                Value.u(0),
                Value.v(Value.of("")),
                Value.t(0)))
        .isEqualTo("NotAvailable");
    alice.call(sending, Names.CHANNEL, "Close");
    bob.awaitState(receiving, CANCELLED);
    assertThat(accept(0, 0, Value.of(""), 0)).isEqualTo("NotAvailable");
    assertThat(bob.statesOf(receiving)).doesNotContain(states(ACCEPTED.code(), 1));
  }
}
