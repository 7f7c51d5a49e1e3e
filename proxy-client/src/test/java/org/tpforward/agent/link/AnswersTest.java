package org.tpforward.agent.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.UserAuthFactory;
import org.apache.sshd.server.auth.keyboard.InteractiveChallenge;
import org.apache.sshd.server.auth.keyboard.KeyboardInteractiveAuthenticator;
import org.apache.sshd.server.auth.keyboard.PromptEntry;
import org.apache.sshd.server.auth.keyboard.UserAuthKeyboardInteractiveFactory;
import org.apache.sshd.server.auth.password.UserAuthPasswordFactory;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.apache.sshd.server.session.ServerSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Passwords and challenges, which the tests' sshd cannot ask for without PAM. */
class AnswersTest {
  @TempDir Path directory;
  SshServer server;
  List<String> options = List.of();
  Map<String, String> variables = Map.of();

  @BeforeEach
  void start() throws IOException {
    server = SshServer.setUpDefaultServer();
    server.setHost("127.0.0.1");
    server.setKeyPairProvider(new SimpleGeneratorHostKeyProvider());
  }

  @AfterEach
  void stop() throws IOException {
    server.stop();
  }

  private void serve(UserAuthFactory method) throws IOException {
    server.setUserAuthFactories(List.of(method));
    server.start();
    Path asked = directory.resolve("asked");
    Path askpass = directory.resolve("askpass");
    Files.writeString(
        askpass,
        "#!/bin/sh\necho \"$1\" >> "
            + asked
            + "\ncase $1 in *code*) echo 1234;; *) echo 'open sesame';; esac\n");
    assertThat(askpass.toFile().setExecutable(true)).isTrue();
    variables =
        Map.of(
            "PATH",
            "/nonexistent:/usr/bin:/bin",
            "SSH_ASKPASS",
            askpass.toString(),
            "SSH_ASKPASS_REQUIRE",
            "force");
  }

  private String asked() throws IOException {
    return Files.readString(directory.resolve("asked"));
  }

  private void connect() throws LinkException {
    LinkOptions link =
        new LinkOptions(
            new Destination("alice", "127.0.0.1", server.getPort()),
            "none",
            List.of(),
            0,
            List.of(
                "StrictHostKeyChecking=no",
                "UserKnownHostsFile=/dev/null",
                "IdentityAgent=none",
                options.isEmpty() ? "BatchMode=no" : options.getFirst()),
            false,
            true);
    try (SshLink made =
        new SshLink(link, LinkTimes.DEFAULT, new UserEnvironment(directory, variables, null))) {
      made.connect();
    }
  }

  @Test
  void aPasswordIsAskedForAndSent() throws IOException {
    serve(UserAuthPasswordFactory.INSTANCE);
    server.setPasswordAuthenticator(
        (user, password, session) -> user.equals("alice") && password.equals("open sesame"));
    connect();
    assertThat(asked()).isEqualTo("alice@127.0.0.1's password: \n");
  }

  @Test
  void aWrongPasswordIsAskedForThreeTimes() throws IOException {
    serve(UserAuthPasswordFactory.INSTANCE);
    server.setPasswordAuthenticator((user, password, session) -> false);
    LinkException e = catchThrowableOfType(LinkException.class, this::connect);
    assertThat(e.reason()).isEqualTo(LinkException.Cause.AUTH_FAILED);
    assertThat(e).hasMessageContaining("Permission denied (password)");
    assertThat(asked().lines()).hasSize(3);
  }

  @Test
  void nobodyIsAskedUnderBatchMode() throws IOException {
    serve(UserAuthPasswordFactory.INSTANCE);
    server.setPasswordAuthenticator((user, password, session) -> true);
    options = List.of("BatchMode=yes");
    LinkException e = catchThrowableOfType(LinkException.class, this::connect);
    assertThat(e.reason()).isEqualTo(LinkException.Cause.AUTH_FAILED);
    assertThat(directory.resolve("asked")).doesNotExist();
  }

  @Test
  void theServersChallengesArePutToTheUserWithTheServersName() throws IOException {
    serve(UserAuthKeyboardInteractiveFactory.INSTANCE);
    server.setKeyboardInteractiveAuthenticator(
        new KeyboardInteractiveAuthenticator() {
          @Override
          public InteractiveChallenge generateChallenge(
              ServerSession session, String user, String language, String methods) {
            InteractiveChallenge challenge = new InteractiveChallenge();
            challenge.setInteractionName("");
            challenge.setInteractionInstruction("");
            challenge.setLanguageTag("");
            challenge.addPrompt(new PromptEntry("Password:", false));
            challenge.addPrompt(new PromptEntry("One-time\u0007 code:", true));
            return challenge;
          }

          @Override
          public boolean authenticate(ServerSession session, String user, List<String> answers) {
            return answers.equals(List.of("open sesame", "1234"));
          }
        });
    connect();
    assertThat(asked())
        .isEqualTo("(alice@127.0.0.1) Password: \n(alice@127.0.0.1) One-time? code: \n");
  }
}
