package org.tpforward.agent.cli;

/** What the commands of a bus say about accounts. */
final class Accounts {
  /** For the option's help. */
  static final String HELP =
      "Which connection, if there are several: CM/PROTOCOL/ACCOUNT, PROTOCOL:ACCOUNT, or whom it is"
          + " connected as. The first two start it if it is not there.";

  private Accounts() {}
}
