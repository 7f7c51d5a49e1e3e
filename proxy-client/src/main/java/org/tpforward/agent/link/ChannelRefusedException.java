package org.tpforward.agent.link;

import java.io.IOException;

/** The server answered a channel open with SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254, section 5.1). */
public final class ChannelRefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Why, in the protocol's terms. */
  public enum Reason {
    /** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED: configuration forbids it. */
    PROHIBITED,
    /** SSH_OPEN_CONNECT_FAILED: nobody listens there, or its backlog is full. */
    CONNECT_FAILED,
    /** SSH_OPEN_UNKNOWN_CHANNEL_TYPE: the server has no streamlocal at all. */
    UNKNOWN_TYPE,
    /** SSH_OPEN_RESOURCE_SHORTAGE, and codes of the server's own. */
    OTHER
  }

  private final Reason reason;

  /**
   * @param reason the code that the server gave
   * @param message the server's own words, and what it said in SSH_MSG_DEBUG; one line
   */
  public ChannelRefusedException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** The code that the server gave. */
  public Reason reason() {
    return reason;
  }
}
