package org.tpforward.agent.bus;

import org.tpforward.dbus.Header;

/** What becomes of a message that goes through the agent. */
@SuppressWarnings("ArrayRecordComponent") // bodies are handed on, never compared
sealed interface Outcome {
  /** Goes on byte for byte; its body has not been read. */
  record Pass() implements Outcome {}

  /** Goes on with this header and body. */
  record Replaced(Header header, byte[] body) implements Outcome {}

  /** A call that is not sent on: the agent answers the client itself. */
  record Answered(Header header, byte[] body) implements Outcome {}

  /** A call that is not sent on, and whose sender wants no answer. */
  record Dropped() implements Outcome {}

  /** The outcome of most messages. */
  Pass PASS = new Pass();
}
