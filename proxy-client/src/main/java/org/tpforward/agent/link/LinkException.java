package org.tpforward.agent.link;

import java.io.IOException;

/**
 * The link could not be made. The message is one line for the user: what happened, and what to do
 * next.
 */
public final class LinkException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What went wrong, by where it did. */
  public enum Cause {
    /** The configuration cannot be read, or asks for what is not there. */
    CONFIGURATION,
    /** The host's name has no address. */
    UNKNOWN_HOST,
    /** No way to the host: the network is down, or a router says so. */
    NO_ROUTE,
    /** The host is there, and nobody listens on that port. */
    CONNECTION_REFUSED,
    /** No answer in time. */
    TIMEOUT,
    /** The ProxyCommand or the ProxyJump failed. */
    PROXY_FAILED,
    /** Somebody listens there who does not speak SSH. */
    NOT_SSH,
    /** The two sides have no algorithm in common, or one broke the protocol. */
    PROTOCOL,
    /** The host's key is not the known one, or is revoked. Never tried again by itself. */
    HOST_KEY_CHANGED,
    /** The host's key is not known, and nobody could be asked or the user said no. */
    HOST_KEY_UNKNOWN,
    /** The server accepted none of the keys and passwords. */
    AUTH_FAILED,
    /** The server does not let this user reach its sockets. */
    FORWARDING_FORBIDDEN,
    /** The server has no session bus for this user, or none that can be reached. */
    NO_REMOTE_BUS,
    /** The connection was there and was lost. */
    LOST,
    /** This side has closed the link. */
    CLOSED
  }

  private final Cause reason;

  /**
   * @param reason what went wrong
   * @param message one line
   */
  public LinkException(Cause reason, String message) {
    super(message);
    this.reason = reason;
  }

  LinkException(Cause reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /** What went wrong. */
  public Cause reason() {
    return reason;
  }

  /** Whether a later try may succeed with nothing changed on this side. */
  public boolean mayPass() {
    return switch (reason) {
      case HOST_KEY_CHANGED, CONFIGURATION, CLOSED -> false;
      default -> true;
    };
  }
}
