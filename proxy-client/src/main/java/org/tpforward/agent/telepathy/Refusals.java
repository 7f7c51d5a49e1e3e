package org.tpforward.agent.telepathy;

import org.tpforward.telepathy.Names;

/** What a connection manager's refusal to make a channel means for the user. */
final class Refusals {
  private static final String ERROR = Names.PREFIX + ".Error.";

  private Refusals() {}

  static String line(TransferException e, String contact, Account account) {
    String name = e.errorName();
    String reason = name.startsWith(ERROR) ? name.substring(ERROR.length()) : "";
    String why =
        switch (reason) {
          case "InvalidHandle" -> account.shortName() + " knows no contact \"" + contact + "\"";
          case "NotCapable" -> contact + " cannot receive files";
          case "Offline" -> contact + " is not online";
          case "NotImplemented" -> account.shortName() + " cannot transfer files";
          default -> account.shortName() + " cannot offer files to " + contact;
        };
    return why + " (" + e.getMessage() + ")";
  }
}
