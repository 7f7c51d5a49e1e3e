package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.harness.Login;
import org.tpforward.harness.OneMachine;
import org.tpforward.harness.PrivateBus;
import org.tpforward.harness.Proc;
import org.tpforward.harness.User;

/** {@code tpforward send} and {@code receive} on a local bus: no agent, no server. */
class SendReceiveIT {
  private static final int MIB = 1 << 20;

  /** A transfer of 64 MiB stops after half. */
  private static final String PAUSE = "'pause-after': <uint64 33554432>";

  private final OneMachine machine = OneMachine.open();
  private final Login admin = machine.login(User.current());
  private @Nullable PrivateBus bus;
  private Login login = admin;

  @AfterEach
  void close() {
    if (bus != null) {
      bus.close();
    }
    machine.close();
  }

  private void start(String profile) {
    PrivateBus started = PrivateBus.start(admin, "--profile", profile);
    bus = started;
    login = started.login();
  }

  /** See {@code org.tpforward.loopback.Misbehaviour}. */
  private void misbehave(String what) {
    manager("SetMisbehaviour", "{" + what + "}");
  }

  private void manager(String method, String... arguments) {
    List<String> command =
        Stream.concat(
                Stream.of(
                    "gdbus",
                    "call",
                    "--session",
                    "--dest",
                    "org.freedesktop.Telepathy.ConnectionManager.loopback",
                    "--object-path",
                    "/org/freedesktop/Telepathy/ConnectionManager/loopback",
                    "--method",
                    "org.tpforward.Loopback.Test." + method),
                Stream.of(arguments))
            .toList();
    login.run(command).ok();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gabble", "full", "tcp-only", "credentials-only"})
  void aFileArrivesWhateverTheConnectionManagerOffers(String profile) throws IOException {
    start(profile);
    byte[] content = content("report.pdf", 3 * MIB + 7);
    try (Proc receive = receive("bob", "--once")) {
      assertThat(send("alice", "bob", "report.pdf").ok().out()).contains("sent ");
      assertThat(receive.await().ok().out()).contains("received ");
    }
    assertThat(inbox("report.pdf")).hasBinaryContent(content);
    assertThat(names()).containsExactly("report.pdf");
  }

  @Test
  void anEmptyFileIsAFile() throws IOException {
    start("gabble");
    content("empty", 0);
    try (Proc receive = receive("bob", "--once")) {
      send("alice", "bob", "empty").ok();
      receive.await().ok();
    }
    assertThat(inbox("empty")).isEmptyFile();
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    start("gabble");
    byte[] content = content("f.txt", 10);
    try (Proc receive = receive("bob")) {
      send("alice", "bob", "f.txt").ok();
      receive.awaitLine("received .*f\\.txt");
      send("alice", "bob", "f.txt").ok();
      receive.awaitLine("received .*f \\(1\\)\\.txt");
    }
    assertThat(inbox("f (1).txt")).hasBinaryContent(content);
    assertThat(names()).containsExactly("f (1).txt", "f.txt");
  }

  @Test
  void severalComeAtOnce() throws IOException {
    start("gabble");
    try (Proc receive = receive("bob")) {
      List<Proc> sends =
          Stream.of("one", "two", "three")
              .map(name -> {
                content(name, 2 * MIB);
                return login.start(
                    login.tpforward(
                        "send", "--account", "loopback:" + name + "-sender", "bob", file(name)));
              })
              .toList();
      for (Proc send : sends) {
        try (send) {
          send.await().ok();
        }
      }
      for (String name : List.of("one", "two", "three")) {
        receive.awaitLine("received .*/" + name + " ");
        assertThat(inbox(name)).hasSameBinaryContentAs(Path.of(file(name)));
      }
    }
  }

  @Test
  void whatWasCutOffIsResumed() throws IOException {
    start("gabble");
    byte[] content = content("film", 64 * MIB);
    misbehave(PAUSE);
    try (Proc receive = receive("bob", "--once")) {
      try (Proc send = startSend("alice", "bob", "film")) {
        receive.awaitLine("film from alice: .*\\([1-9]0 %\\)");
        receive.signal("TERM");
        assertThat(receive.await().status()).isEqualTo(143);
        assertThat(receive.said())
            .containsPattern("film: \\d+ of " + content.length + " bytes, interrupted; film\\.");
        Proc.Result sent = send.await();
        assertThat(sent.status()).isEqualTo(1);
        assertThat(sent.err()).containsPattern("^tpforward: bob has at most \\d+ of ");
      }
    }
    String part = names().getFirst();
    assertThat(part).matches("film\\.[0-9a-f]{8}\\.part");
    long there = Files.size(inbox(part));
    assertThat(there).isPositive().isLessThan(content.length);
    manager("Reset");
    try (Proc receive = receive("bob", "--once")) {
      send("alice", "bob", "film").ok();
      receive.await().ok();
      assertThat(receive.said()).contains("film from alice: ").doesNotContain(": 0 B of");
    }
    assertThat(inbox("film")).hasBinaryContent(content);
    assertThat(names()).containsExactly("film");
  }

  @Test
  void aPartThatWasDamagedIsFoundOut() throws IOException {
    start("gabble");
    content("film", 64 * MIB);
    misbehave(PAUSE);
    try (Proc receive = receive("bob", "--once")) {
      try (Proc send = startSend("alice", "bob", "film")) {
        receive.awaitLine("film from alice: .*\\([1-9]0 %\\)");
        receive.signal("TERM");
        receive.await();
        send.await();
      }
    }
    manager("Reset");
    Path part = inbox(names().getFirst());
    Files.write(part, new byte[] {1, 2, 3, 4}, StandardOpenOption.WRITE);
    try (Proc receive = receive("bob", "--once")) {
      send("alice", "bob", "film");
      Proc.Result result = receive.await();
      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err()).contains("does not have the MD5 that was offered");
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void theSendersInterruptionIsNoCompleteFile() throws IOException {
    start("gabble");
    content("film", 64 * MIB);
    misbehave(PAUSE);
    try (Proc receive = receive("bob", "--once")) {
      try (Proc send = startSend("alice", "bob", "film")) {
        send.awaitLine("film to bob: .*\\([1-9]0 %\\)");
        send.signal("TERM");
        Proc.Result sent = send.await();
        assertThat(sent.status()).isEqualTo(143);
        assertThat(sent.err())
            .containsPattern("^tpforward: bob has at most \\d+ of \\d+ bytes: inter");
      }
      Proc.Result result = receive.await();
      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err()).contains(" is kept, and resumed when the file is offered again");
    }
    assertThat(names()).singleElement().asString().endsWith(".part");
  }

  @Test
  void theConnectionManagersEndIsNoCompleteFile() throws IOException {
    start("gabble");
    content("film", 64 * MIB);
    misbehave(PAUSE);
    try (Proc receive = receive("bob", "--once");
        Proc send = startSend("alice", "bob", "film")) {
      receive.awaitLine("film from alice: .*\\([1-9]0 %\\)");
      vanish();
      assertThat(receive.await().status()).isEqualTo(1);
      Proc.Result sent = send.await();
      assertThat(sent.status()).isEqualTo(1);
      assertThat(sent.err()).contains("the connection manager has left the bus");
    }
  }

  private void vanish() {
    // It ends without an answer.
    login.run(
        "gdbus",
        "call",
        "--session",
        "--dest",
        "org.freedesktop.Telepathy.ConnectionManager.loopback",
        "--object-path",
        "/org/freedesktop/Telepathy/ConnectionManager/loopback",
        "--method",
        "org.tpforward.Loopback.Test.Vanish",
        "exit");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cut-after", "cancel-after", "close-after", "vanish-after"})
  void whatEndsInTheMiddleIsNotComplete(String how) throws IOException {
    start("gabble");
    content("film", 64 * MIB);
    try (Proc receive = receive("bob", "--once")) {
      misbehave("'" + how + "': <uint64 33554432>");
      Proc.Result sent = send("alice", "bob", "film");
      Proc.Result received = receive.await();
      assertThat(received.status()).as(receive.said()).isEqualTo(1);
      assertThat(received.err()).startsWith("tpforward: ");
      assertThat(sent.status()).as(sent.out() + sent.err()).isEqualTo(1);
      assertThat(sent.err()).startsWith("tpforward: ");
    }
    assertThat(names()).allMatch(name -> name.endsWith(".part"));
  }

  @Test
  void anOfferThatCannotBeAcceptedFails() throws IOException {
    start("gabble");
    content("f", 10);
    try (Proc receive = receive("bob", "--once")) {
      misbehave("'refuse-accept': <true>");
      Proc.Result sent = send("alice", "bob", "f");
      assertThat(receive.await().status()).isEqualTo(1);
      assertThat(receive.said()).contains("NotAvailable");
      assertThat(sent.status()).isEqualTo(1);
      assertThat(sent.err()).startsWith("tpforward: bob did not take the file: ");
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void whoIsNotThereGetsNothing() throws IOException {
    start("gabble");
    content("f", 10);
    Proc.Result result = send("alice", "nobody", "f");
    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).startsWith("tpforward: nobody is not online (").hasLineCount(1);
  }

  @Test
  void anAccountIsChosenWhereThereAreSeveral() throws IOException {
    start("gabble");
    content("f", 10);
    String file = file("f");
    assertThat(login.run(login.tpforward("send", "bob", file)).err())
        .isEqualTo(
            "tpforward: there is no Telepathy connection on the bus;"
                + " --account PROTOCOL:ACCOUNT starts one\n");
    try (Proc receive = receive("bob")) {
      login.run(login.tpforward("send", "bob", file));
      send("alice", "bob", "f").ok();
      assertThat(login.run(login.tpforward("send", "bob", file)).err())
          .isEqualTo(
              "tpforward: there are several connections, so choose one with --account:"
                  + " loopback/loopback/alice (alice), loopback/loopback/bob (bob)\n");
      for (String account : List.of("alice", "loopback/loopback/alice", "loopback:alice")) {
        login.run(login.tpforward("send", "--account", account, "bob", file)).ok();
      }
      receive.awaitLine("received .*f \\(3\\)");
    }
    assertThat(login.run(login.tpforward("send", "--account", "x:y", "bob", file)).err())
        .isEqualTo("tpforward: no connection manager on the bus knows the protocol \"x\"\n");
  }

  private Proc receive(String account, String... options) {
    List<String> arguments =
        Stream.concat(
                Stream.of("receive", "--account", "loopback:" + account, "--dir", inboxDirectory()),
                Stream.of(options))
            .toList();
    Proc receive = login.start(login.tpforward(arguments));
    try {
      receive.awaitLine("^waiting for files for loopback/loopback/" + account + " in ");
      return receive;
    } catch (RuntimeException e) {
      receive.close();
      throw e;
    }
  }

  private Proc startSend(String account, String contact, String name) {
    return login.start(
        login.tpforward("send", "--account", "loopback:" + account, contact, file(name)));
  }

  private Proc.Result send(String account, String contact, String name) {
    try (Proc send = startSend(account, contact, name)) {
      return send.await();
    }
  }

  private byte[] content(String name, int size) {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    try {
      Files.write(Path.of(file(name)), content);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return content;
  }

  private String file(String name) {
    return admin.home() + "/" + name;
  }

  private String inboxDirectory() {
    try {
      return Files.createDirectories(Path.of(admin.home(), "in")).toString();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private Path inbox(String name) {
    return Path.of(inboxDirectory(), name);
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(inboxDirectory()))) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }
}
