package org.tpforward.agent.telepathy;

import org.tpforward.telepathy.Names;

/** What a connection manager's refusal to make a channel means for the user. */
final class Refusals {
  private static final String ERROR = Names.PREFIX + ".Error.";

  private Refusals() {}

  /** What was asked for, in the words of the lines. */
  enum What {
    FILE("receive files", "transfer files", "offer files"),
    TUBE("take this tube", "make stream tubes", "offer a tube");

    private final String take;
    private final String make;
    private final String offer;

    What(String take, String make, String offer) {
      this.take = take;
      this.make = make;
      this.offer = offer;
    }
  }

  static String line(TransferException e, What what, String contact, Account account) {
    String name = e.errorName();
    String reason = name.startsWith(ERROR) ? name.substring(ERROR.length()) : "";
    String why =
        switch (reason) {
          case "InvalidHandle" -> account.shortName() + " knows no contact \"" + contact + "\"";
          case "NotCapable" -> contact + " cannot " + what.take;
          case "Offline" -> contact + " is not online";
          case "NotImplemented" -> account.shortName() + " cannot " + what.make;
          default -> account.shortName() + " cannot " + what.offer + " to " + contact;
        };
    return why + " (" + e.getMessage() + ")";
  }
}
