package org.tpforward.agent.link;

import java.util.ArrayList;
import java.util.List;
import org.apache.sshd.client.auth.keyboard.UserInteraction;
import org.apache.sshd.client.session.ClientSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The methods keyboard-interactive (RFC 4256) and password (RFC 4252, section 8): puts the server's
 * questions to the user.
 */
final class Answers implements UserInteraction {
  private static final Logger log = LoggerFactory.getLogger(Answers.class);
  private static final int LONGEST_PROMPT = 500;

  private final SshConfig config;
  private final Prompts prompts;

  Answers(SshConfig config, Prompts prompts) {
    this.config = config;
    this.prompts = prompts;
  }

  @Override
  public boolean isInteractionAllowed(ClientSession session) {
    return prompts.canAsk();
  }

  @Override
  public void welcome(ClientSession session, String banner, String language) {
    log.info("{} says: {}", config.host(), OneLine.of(banner, LONGEST_PROMPT));
  }

  @Override
  public String @Nullable [] interactive(
      ClientSession session,
      String name,
      String instruction,
      String language,
      String[] questions,
      boolean[] echo) {
    List<String> answers = new ArrayList<>();
    for (int i = 0; i < questions.length; i++) {
      String answer =
          prompts.ask(prefix(i == 0 ? name + " " + instruction : "", questions[i]), echo[i]);
      if (answer == null) {
        return null;
      }
      answers.add(answer);
    }
    return answers.toArray(String[]::new);
  }

  /** Who asks stands first, as in ssh: a jump host cannot pass its question off as another's. */
  private String prefix(String heading, String question) {
    String said = OneLine.of(heading, LONGEST_PROMPT);
    return (said.isEmpty() ? "" : said + "\n")
        + "("
        + config.user()
        + "@"
        + config.host()
        + ") "
        + OneLine.of(question, LONGEST_PROMPT)
        + " ";
  }

  @Override
  public @Nullable String resolveAuthPasswordAttempt(ClientSession session) {
    return prompts.ask(config.user() + "@" + config.host() + "'s password: ", false);
  }

  @Override
  public @Nullable String getUpdatedPassword(
      ClientSession session, String prompt, String language) {
    log.warn("the password of {}@{} has expired: change it with ssh", config.user(), config.host());
    return null;
  }
}
