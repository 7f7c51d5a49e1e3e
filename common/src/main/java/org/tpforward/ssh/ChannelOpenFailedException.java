package org.tpforward.ssh;

import java.io.IOException;

/** The server answered with SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254, section 5.1). */
public final class ChannelOpenFailedException extends IOException {
  private static final long serialVersionUID = 1L;

  /** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED. */
  public static final int PROHIBITED = 1;

  /** SSH_OPEN_CONNECT_FAILED. */
  public static final int CONNECT_FAILED = 2;

  /** SSH_OPEN_UNKNOWN_CHANNEL_TYPE. */
  public static final int UNKNOWN_TYPE = 3;

  /** SSH_OPEN_RESOURCE_SHORTAGE. */
  public static final int RESOURCE_SHORTAGE = 4;

  private final int code;

  /**
   * @param code the reason code that the server gave
   * @param message the server's own words, and what it said in SSH_MSG_DEBUG meanwhile: one line
   */
  public ChannelOpenFailedException(int code, String message) {
    super(message);
    this.code = code;
  }

  /** The reason code that the server gave; one of the constants, or a server's own. */
  public int code() {
    return code;
  }
}
