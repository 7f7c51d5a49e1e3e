package org.tpforward.server.bus;

import org.tpforward.dbus.Header;

/** What becomes of a message. */
@SuppressWarnings("ArrayRecordComponent") // bodies are handed on, never compared
sealed interface Verdict {
  /** Goes on byte for byte. */
  record Pass() implements Verdict {}

  /** Goes no further, and nobody is told. */
  record Drop() implements Verdict {}

  /** Goes no further, and this goes back to where it came from. */
  record Answer(Header header, byte[] body) implements Verdict {}

  /** This goes on in its place. */
  record Instead(Header header, byte[] body) implements Verdict {}

  /** The verdict on most messages. */
  Pass PASS = new Pass();

  /** The verdict on what nobody waits for. */
  Drop DROP = new Drop();
}
