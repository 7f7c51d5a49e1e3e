package org.tpforward.server.user;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.PublicKey;
import java.time.Clock;
import org.apache.sshd.common.RuntimeSshException;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.server.auth.pubkey.PublickeyAuthenticator;
import org.apache.sshd.server.session.ServerSession;

/** Decides about each key that a client offers. */
public final class Logins implements PublickeyAuthenticator {
  /** Is told of what is refused. */
  @FunctionalInterface
  public interface Refusals {
    /**
     * A key was refused.
     *
     * @param login the name that the client asked to log in as
     * @param key its fingerprint
     * @param why one line
     */
    void refused(ServerSession session, String login, String key, String why);
  }

  private final Refusals refusals;
  private final Clock clock;
  private final FailedLogins failed = new FailedLogins();
  private volatile Keys keys;

  /**
   * @param keys to begin with
   */
  public Logins(Keys keys, Refusals refusals, Clock clock) {
    this.keys = keys;
    this.refusals = refusals;
    this.clock = clock;
  }

  /** Takes other keys from now on; who is logged in stays. */
  public void use(Keys newKeys) {
    keys = newKeys;
  }

  /** May wait: a session that is not let in yet has nothing else to do for its thread. */
  @Override
  public boolean authenticate(String login, PublicKey key, ServerSession session) {
    InetAddress address = address(session.getRemoteAddress());
    Keys.Answer answer = keys.find(login, key, address, clock.instant());
    Account.set(session, answer.account());
    if (answer.account() != null) {
      return true;
    }
    refusals.refused(session, login, KeyUtils.getFingerPrint(key), answer.why());
    if (!failed.slowDown(address)) {
      throw new RuntimeSshException("too many failed logins from " + address.getHostAddress());
    }
    return false;
  }

  private static InetAddress address(SocketAddress remote) {
    // A Unix socket in front of the server is this machine.
    return remote instanceof InetSocketAddress inet
        ? inet.getAddress()
        : InetAddress.getLoopbackAddress();
  }
}
