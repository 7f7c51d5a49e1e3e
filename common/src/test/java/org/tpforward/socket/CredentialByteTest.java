package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.newsclub.net.unix.AFUNIXServerSocketChannel;
import org.newsclub.net.unix.AFUNIXSocketChannel;

class CredentialByteTest {
  @TempDir Path dir;

  @Test
  void everyValueArrivesWithTheSender() throws Exception {
    try (Strict strict = new Strict(dir)) {
      for (int value = 0; value <= 255; value++) {
        try (Connection client = Connection.connectForCredentials(strict.endpoint);
            Connection server = strict.accept()) {
          CredentialByte.send(client, value);
          assertThat(CredentialByte.receive(server, OtherUser.PATIENCE))
              .isEqualTo(
                  new CredentialByte.Received(
                      value, ProcessHandle.current().pid(), Uids.own(), ownGid()));
        }
      }
    }
  }

  @Test
  void theSenderLearnsWhenItsByteWasRead() throws Exception {
    try (Strict strict = new Strict(dir);
        Connection client = Connection.connectForCredentials(strict.endpoint);
        Connection server = strict.accept()) {
      CredentialByte.send(client, 7);
      assertThat(CredentialByte.awaitRead(client, Duration.ofMillis(1))).isFalse();
      CompletableFuture<Boolean> read = new CompletableFuture<>();
      Thread.ofPlatform()
          .start(() -> {
            try {
              read.complete(CredentialByte.awaitRead(client, OtherUser.PATIENCE));
            } catch (IOException e) {
              read.completeExceptionally(e);
            }
          });
      assertThat(CredentialByte.receiveLate(server, 100, OtherUser.PATIENCE).extra()).isZero();
      assertThat(read.get()).isTrue();
    }
  }

  @Test
  void theStreamBehindTheByteIsLeftWhereItIs() throws Exception {
    try (Strict strict = new Strict(dir);
        Connection client = Connection.connectForCredentials(strict.endpoint);
        Connection server = strict.accept()) {
      CredentialByte.send(client, 7);
      Bytes.send(client, "data");
      client.shutdownOutput();
      assertThat(CredentialByte.receive(server, OtherUser.PATIENCE).value()).isEqualTo(7);
      assertThat(Bytes.receive(server, 4)).isEqualTo("data");
      assertThat(server.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void aPlainWriteIsNotVouchedForOnceItWasAccepted() throws Exception {
    try (Strict strict = new Strict(dir);
        Connection client = Connection.connectForCredentials(strict.endpoint);
        Connection server = strict.accept()) {
      Bytes.send(client, "x");
      assertThatThrownBy(() -> CredentialByte.receive(server, OtherUser.PATIENCE))
          .isInstanceOf(CredentialByte.NoCredentialsException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "ABSTRACT"})
  void aListenerForCredentialsKnowsWhoWritesPlainlyToo(Kind kind) throws Exception {
    try (Listener listener = Listener.openForCredentials(kind.free(dir));
        Connection client = Connection.connect(listener.endpoint());
        Connection server = listener.accept()) {
      Bytes.send(client, "\u00ff");
      CredentialByte.Received received = CredentialByte.receive(server, OtherUser.PATIENCE);
      assertThat(received.value()).isEqualTo(255);
      assertThat(received.uid()).isEqualTo(Uids.own());
    }
  }

  @Test
  void soDoesOneThatExpectsItBeforeItIsSent() throws Exception {
    try (Strict strict = new Strict(dir);
        Connection client = Connection.connectForCredentials(strict.endpoint);
        Connection server = strict.accept()) {
      CredentialByte.expect(server);
      Bytes.send(client, "A");
      assertThat(CredentialByte.receive(server, OtherUser.PATIENCE).value()).isEqualTo('A');
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"PATH", "ABSTRACT"})
  void anotherUsersByteTellsHisUid(Kind kind) throws Exception {
    OtherUser.open(dir);
    try (Listener listener = Listener.openForCredentials(kind.free(dir));
        OtherUser other = OtherUser.start(dir, "byte", listener.endpoint().toString(), "200");
        Connection server = listener.accept()) {
      CredentialByte.Received received = CredentialByte.receive(server, OtherUser.PATIENCE);
      assertThat(received.value()).isEqualTo(200);
      assertThat(received.uid()).isEqualTo(OtherUser.UID);
      assertThat(received.gid()).isEqualTo(OtherUser.GID);
      assertThat(other.line()).isEqualTo("sent " + received.pid());
      assertThat(AllowedUids.own().allows(received.sender())).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theByteIsWaitedForOnAnyThread(boolean virtual) throws Exception {
    try (Strict strict = new Strict(dir);
        Connection client = Connection.connectForCredentials(strict.endpoint);
        Connection server = strict.accept()) {
      Thread.Builder threads = virtual ? Thread.ofVirtual() : Thread.ofPlatform().daemon();
      CompletableFuture<CredentialByte.Received> received =
          Threads.run(threads, () -> CredentialByte.receive(server, OtherUser.PATIENCE));
      CompletableFuture<Boolean> sent =
          Threads.run(
              threads,
              () -> {
                CredentialByte.send(client, 3);
                return true;
              });
      assertThat(sent.get(30, TimeUnit.SECONDS)).isTrue();
      assertThat(received.get(30, TimeUnit.SECONDS).value()).isEqualTo(3);
    }
  }

  @Test
  void readLateThePlainByteHasNoSenderAndWhatCameWithItIsSeen() throws Exception {
    try (Strict strict = new Strict(dir);
        Connection plain = Connection.connectForCredentials(strict.endpoint);
        Connection plainServer = strict.accept();
        Connection good = Connection.connectForCredentials(strict.endpoint);
        Connection goodServer = strict.accept()) {
      Bytes.send(plain, "xyz");
      CredentialByte.Arrived arrived =
          CredentialByte.receiveLate(plainServer, 100, OtherUser.PATIENCE);
      assertThat(arrived.value()).isEqualTo('x');
      assertThat(arrived.extra()).isEqualTo(2);
      assertThat(arrived.sender()).isNull();

      CredentialByte.send(good, 9);
      CredentialByte.Received sender =
          CredentialByte.receiveLate(goodServer, 100, OtherUser.PATIENCE).sender();
      assertThat(sender)
          .isEqualTo(
              new CredentialByte.Received(9, ProcessHandle.current().pid(), Uids.own(), ownGid()));
    }
  }

  @Test
  void noByteInTimeIsSaidSo() throws Exception {
    try (Pair pair = Pair.forCredentials(dir)) {
      assertThatThrownBy(() -> CredentialByte.receive(pair.server(), Duration.ofMillis(50)))
          .isInstanceOf(SocketTimeoutException.class);
      CredentialByte.send(pair.client(), 1);
      assertThat(CredentialByte.receive(pair.server(), OtherUser.PATIENCE).value()).isEqualTo(1);
    }
  }

  @Test
  void anEndInsteadOfTheByteIsSaidSo() throws Exception {
    try (Pair pair = Pair.forCredentials(dir)) {
      pair.client().close();
      assertThatThrownBy(() -> CredentialByte.receive(pair.server(), OtherUser.PATIENCE))
          .isInstanceOf(EOFException.class);
    }
  }

  @Test
  void closingEndsTheWait() throws Exception {
    try (Pair pair = Pair.forCredentials(dir)) {
      CompletableFuture<Thread> waits = new CompletableFuture<>();
      CompletableFuture<CredentialByte.Received> received =
          Threads.run(() -> {
            waits.complete(Thread.currentThread());
            return CredentialByte.receive(pair.server(), OtherUser.PATIENCE);
          });
      Threads.awaitBlockedInNativeCode(waits.get());
      pair.server().close();
      assertThatThrownBy(() -> received.get(10, TimeUnit.SECONDS))
          .hasCauseInstanceOf(ClosedChannelException.class);
      assertThatThrownBy(() -> CredentialByte.receive(pair.server(), OtherUser.PATIENCE))
          .isInstanceOf(ClosedChannelException.class);
      // Closed in the end, and not only shut down: the peer sees it.
      assertThat(pair.client().read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void descriptorsThatComeAlongAreClosed() throws Exception {
    Path file = Files.createFile(dir.resolve("passed along"));
    try (Strict strict = new Strict(dir);
        Connection client = Connection.connectForCredentials(strict.endpoint);
        Connection server = strict.accept();
        FileInputStream open = new FileInputStream(file.toFile())) {
      CredentialByte.expect(client);
      FileDescriptor descriptor = open.getFD();
      ((AFUNIXSocketChannel) client.channel())
          .setOutboundFileDescriptors(descriptor, descriptor, descriptor);
      Bytes.send(client, "d");
      assertThat(CredentialByte.receive(server, OtherUser.PATIENCE).value()).isEqualTo('d');
      assertThat(descriptorsOf(file)).isEqualTo(1);
    }
  }

  @Test
  void whoIsGoneGetsNone() throws Exception {
    try (Pair pair = Pair.forCredentials(dir)) {
      pair.server().close();
      assertThatThrownBy(() -> CredentialByte.send(pair.client(), 1))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void aConnectionWithoutDescriptorIsRefused() throws Exception {
    for (Kind kind : new Kind[] {Kind.PATH, Kind.IPV4}) {
      try (Pair pair = Pair.of(kind, dir)) {
        assertThat(pair.client().hasDescriptor()).isFalse();
        assertThatThrownBy(() -> CredentialByte.send(pair.client(), 1))
            .isInstanceOf(SocketException.class)
            .hasMessageContaining("connectForCredentials");
      }
    }
    assertThatThrownBy(() -> Listener.openForCredentials(Kind.IPV4.free(dir)))
        .isInstanceOf(SocketException.class);
  }

  @Test
  void onlyBytesAreSent() throws Exception {
    try (Pair pair = Pair.forCredentials(dir)) {
      for (int value : new int[] {-1, 256}) {
        assertThatThrownBy(() -> CredentialByte.send(pair.client(), value))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  private long ownGid() throws IOException {
    return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:gid");
  }

  private static long descriptorsOf(Path file) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.filter(fd -> pointsTo(fd, file)).count();
    }
  }

  private static boolean pointsTo(Path link, Path file) {
    try {
      return Files.readSymbolicLink(link).equals(file);
    } catch (IOException e) {
      return false; // closed meanwhile
    }
  }

  /** A service as connection managers are: SO_PASSCRED is off until it reads. */
  private static final class Strict implements AutoCloseable {
    final Endpoint endpoint;
    private final AFUNIXServerSocketChannel server = AFUNIXServerSocketChannel.open();

    Strict(Path dir) throws IOException {
      endpoint = Kind.PATH.free(dir);
      server.bind(Endpoints.nativeAddress(endpoint));
    }

    Connection accept() throws IOException {
      return Connection.of(server.accept(), endpoint);
    }

    @Override
    public void close() throws IOException {
      server.close();
    }
  }
}
