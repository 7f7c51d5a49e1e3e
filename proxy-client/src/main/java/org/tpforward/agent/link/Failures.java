package org.tpforward.agent.link;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.SshException;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.link.LinkException.Cause;

/** Says in one line why a connection could not be made, and what to do next. */
final class Failures {
  /** MINA's own words. */
  private static final String NOTHING_MORE = "No more authentication methods available";

  private final SshConfig config;
  private final @Nullable ProxyProcess proxy;
  private final HostKeyPolicy policy;
  private final ServerMethods methods;
  private final PublicKeyAuth keys;

  Failures(
      SshConfig config,
      @Nullable ProxyProcess proxy,
      HostKeyPolicy policy,
      ServerMethods methods,
      PublicKeyAuth keys) {
    this.config = config;
    this.proxy = proxy;
    this.policy = policy;
    this.methods = methods;
    this.keys = keys;
  }

  private String address() {
    String host = config.host();
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + " port " + config.port();
  }

  LinkException dialling(IOException problem, Duration bound) {
    if (proxy != null) {
      return new LinkException(
          Cause.PROXY_FAILED, "the ProxyCommand cannot be run: " + deepest(problem), problem);
    }
    for (Throwable t = problem; t != null; t = t.getCause()) {
      String message = String.valueOf(t.getMessage()).toLowerCase(Locale.ROOT);
      if (t instanceof UnknownHostException || t instanceof UnresolvedAddressException) {
        return new LinkException(
            Cause.UNKNOWN_HOST,
            "no address is known for the host name "
                + config.host()
                + ": is it spelled right, and the network up?",
            problem);
      }
      if (t instanceof NoRouteToHostException
          || message.contains("unreachable")
          || message.contains("no route")) {
        return new LinkException(
            Cause.NO_ROUTE,
            "no route to " + address() + ": is the network, or a VPN, up?",
            problem);
      }
      if (t instanceof SocketTimeoutException
          || t instanceof java.util.concurrent.TimeoutException
          || message.contains("timed out")) {
        return new LinkException(
            Cause.TIMEOUT,
            "no answer from "
                + address()
                + " within "
                + bound.toSeconds()
                + " s: is the host up, and does no firewall drop it? (-o ConnectTimeout)",
            problem);
      }
      if (message.contains("reset by peer")) {
        // Somebody took the connection, and reset it before connect(2) was asked how it went.
        return keyExchange(null, t);
      }
      if (t instanceof ConnectException && message.contains("refused")) {
        return new LinkException(
            Cause.CONNECTION_REFUSED,
            address() + " refuses connections: is the port right (-p), and sshd running there?",
            problem);
      }
    }
    return new LinkException(
        Cause.NO_ROUTE, "cannot connect to " + address() + ": " + deepest(problem), problem);
  }

  /** The connection is there, and ended before a key was agreed on. */
  LinkException keyExchange(@Nullable String serverVersion, @Nullable Throwable problem) {
    LinkException refusal = policy.refusal();
    if (refusal != null) {
      return refusal;
    }
    if (serverVersion == null && proxy != null) {
      return proxyFailed();
    }
    String detail = problem == null ? "" : " (" + SessionEvents.describe(problem) + ")";
    if (serverVersion == null) {
      return new LinkException(
          Cause.NOT_SSH,
          address()
              + " is not an SSH server, or one that is turning connections away: it sent no SSH"
              + " greeting"
              + detail
              + ". Is the port right (-p)?");
    }
    return new LinkException(
        Cause.PROTOCOL,
        "the key exchange with "
            + address()
            + " ("
            + OneLine.of(serverVersion, 80)
            + ") failed"
            + detail
            + ": try ssh -v, and see Ciphers, MACs, KexAlgorithms, HostKeyAlgorithms");
  }

  private LinkException proxyFailed() {
    String ending = proxy == null ? "" : proxy.ending();
    return new LinkException(
        Cause.PROXY_FAILED,
        "no connection to "
            + address()
            + " through the ProxyCommand or ProxyJump, which "
            + ending
            + ". It runs: "
            + OneLine.of(String.valueOf(config.proxyCommand()), 200));
  }

  LinkException slowKeyExchange(@Nullable String serverVersion, Duration bound) {
    if (serverVersion == null && proxy != null) {
      return proxyFailed();
    }
    return serverVersion == null
        ? new LinkException(
            Cause.NOT_SSH,
            address()
                + " takes connections but sent no SSH greeting within "
                + bound.toSeconds()
                + " s: not an SSH server, or one that hangs. Is the port right (-p)?")
        : new LinkException(
            Cause.TIMEOUT,
            "the key exchange with " + address() + " took longer than " + bound.toSeconds() + " s");
  }

  LinkException slowAuthentication(Duration bound) {
    return new LinkException(
        Cause.TIMEOUT,
        address() + " did not answer the authentication within " + bound.toSeconds() + " s");
  }

  LinkException authentication(@Nullable Throwable problem) {
    LinkException refusal = policy.refusal();
    if (refusal != null) {
      return refusal;
    }
    String who = config.user() + "@" + config.host();
    List<String> accepted = methods.methods();
    if (problem instanceof SshException ssh && isHangUp(ssh)) {
      return new LinkException(
          Cause.AUTH_FAILED,
          who
              + ": the server hung up after "
              + keys.shown()
              + " keys ("
              + SessionEvents.describe(ssh)
              + "): name the right one with -i and set IdentitiesOnly=yes",
          ssh);
    }
    if (accepted.isEmpty()) {
      return new LinkException(
          Cause.LOST,
          "the connection to "
              + address()
              + " broke during the authentication"
              + (problem == null ? "" : ": " + SessionEvents.describe(problem)));
    }
    return new LinkException(
        Cause.AUTH_FAILED,
        who + ": Permission denied (" + String.join(",", accepted) + "): " + advice(accepted));
  }

  /** Whether the server has had enough keys: sshd says so after MaxAuthTries. */
  private static boolean isHangUp(SshException problem) {
    return switch (problem.getDisconnectCode()) {
      case SshConstants.SSH2_DISCONNECT_PROTOCOL_ERROR -> true;
      // Of MINA's servers, tpforward-server too; and of this side when it knows no more to try.
      case SshConstants.SSH2_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE ->
          !NOTHING_MORE.equals(problem.getMessage());
      default -> false;
    };
  }

  private String advice(List<String> accepted) {
    if (methods.partial()) {
      return "a first step succeeded, and the server wants one of these besides";
    }
    String unusable = keys.unusable();
    if (unusable != null) {
      return unusable;
    }
    if (!accepted.contains("publickey")) {
      return "the server takes no keys; there was nobody to ask for a password, or it was wrong";
    }
    return keys.shown() == 0
        ? "no key was found: name one with -i, or load one into ssh-agent"
        : "none of the "
            + keys.shown()
            + " keys shown is in the server's authorized_keys: try the right one with -i";
  }

  private static String deepest(Throwable problem) {
    Throwable t = problem;
    while (t.getCause() != null) {
      t = t.getCause();
    }
    return SessionEvents.describe(t);
  }
}
