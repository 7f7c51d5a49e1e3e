package org.tpforward.agent.link;

import org.tpforward.agent.link.ChannelRefusedException.Reason;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.ChannelOpenFailedException;

/** Says what a server's SSH_MSG_CHANNEL_OPEN_FAILURE means for the user. */
final class Refusals {
  private Refusals() {}

  static ChannelRefusedException of(Endpoint target, ChannelOpenFailedException e) {
    Reason reason =
        switch (e.code()) {
          case ChannelOpenFailedException.PROHIBITED -> Reason.PROHIBITED;
          case ChannelOpenFailedException.CONNECT_FAILED -> Reason.CONNECT_FAILED;
          case ChannelOpenFailedException.UNKNOWN_TYPE -> Reason.UNKNOWN_TYPE;
          default -> Reason.OTHER;
        };
    ChannelRefusedException refused =
        new ChannelRefusedException(
            reason, message(target, reason, String.valueOf(e.getMessage())));
    refused.initCause(e);
    return refused;
  }

  private static String message(Endpoint target, Reason reason, String said) {
    boolean tcp = target instanceof Endpoint.Ip;
    // sshd (9.2) heeds AllowTcpForwarding for Unix sockets too.
    String setting =
        tcp
            ? "AllowTcpForwarding and PermitOpen"
            : "AllowStreamLocalForwarding, AllowTcpForwarding";
    String kind = tcp ? "TCP ports" : "Unix sockets";
    return switch (reason) {
      case PROHIBITED ->
          "the server forbids to reach "
              + target
              + ": see "
              + setting
              + " and DisableForwarding in its sshd_config ("
              + said
              + ")";
      case UNKNOWN_TYPE ->
          "the server's SSH program cannot reach " + kind + " (OpenSSH 6.7 and later can): " + said;
      case CONNECT_FAILED ->
          "nobody listens at "
              + target
              + " on the server, or its sshd_config forbids it ("
              + setting
              + "): "
              + said;
      case OTHER -> "the server did not open a channel to " + target + ": " + said;
    };
  }
}
