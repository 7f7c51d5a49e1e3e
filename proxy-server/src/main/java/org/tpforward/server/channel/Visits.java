package org.tpforward.server.channel;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Threads;
import org.tpforward.server.audit.Audit;
import org.tpforward.server.user.Account;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.KeepAlive;

/** Makes a {@link Visit} of each login, and ends it with its session. */
public final class Visits implements SessionListener {
  /** Which bus an account is for. */
  @FunctionalInterface
  public interface Buses {
    /**
     * Where it listens.
     *
     * @throws IOException if the account's line names none
     */
    Endpoint of(Account account) throws IOException;
  }

  private static final Logger log = LoggerFactory.getLogger(Visits.class);
  private static final AttributeKey<AtomicReference<String>> END = new AttributeKey<>();

  /** A client that is gone without a word holds its bus names no longer than this. */
  private static final Duration ALIVE = Duration.ofSeconds(30);

  private static final int ALIVE_COUNT = 3;

  private final Audit audit;
  private final Buses buses;
  private final Users users;

  /** For one server. */
  public Visits(Audit audit, Buses buses, Limits limits) {
    this.audit = audit;
    this.buses = buses;
    this.users = new Users(limits);
  }

  @Override
  public void sessionEvent(Session session, Event event) {
    if (event == Event.Authenticated && Visit.of(session) == null) {
      try {
        enter(session);
      } catch (IOException e) {
        log.warn("a login from {} is refused: {}", session.getRemoteAddress(), e.getMessage());
        refuse(session, String.valueOf(e.getMessage()));
      }
    }
  }

  private void enter(Session session) throws IOException {
    Account account = Account.of(session);
    if (account == null) {
      throw new IOException("nobody is known by this key");
    }
    User user = users.enter(account.name(), buses.of(account));
    if (user == null) {
      throw new IOException("this user is logged in too often");
    }
    audit.metrics().logins.increment();
    audit.metrics().loginsNow.increment();
    Visit visit = new Visit(session, account, user);
    audit.write(visit.describe(audit.event("login")).with("client", session.getClientVersion()));
    new KeepAlive(session, ALIVE, ALIVE_COUNT, silence -> lost(session, silence)).start();
    // So that it is there when it is asked for; what is wrong is told to who asks.
    Threads.start("bus of " + account.name(), () -> warmUp(user));
  }

  private static void lost(Session session, Duration silence) {
    end(session).compareAndSet("", "no answer from the client for " + silence.toSeconds() + " s");
    session.close(true);
  }

  private static void warmUp(User user) {
    try {
      user.handedOut();
    } catch (IOException e) {
      log.warn("{}", e.getMessage());
    }
  }

  private static void refuse(Session session, String why) {
    try {
      session.disconnect(SshConstants.SSH2_DISCONNECT_TOO_MANY_CONNECTIONS, why);
    } catch (IOException e) {
      session.close(true);
    }
  }

  private static AtomicReference<String> end(Session session) {
    return session.computeAttributeIfAbsent(END, key -> new AtomicReference<>(""));
  }

  @Override
  public void sessionDisconnect(
      Session session, int reason, String message, String language, boolean initiator) {
    end(session).compareAndSet("", (initiator ? "this server: " : "the client: ") + message);
  }

  @Override
  public void sessionException(Session session, Throwable problem) {
    end(session).compareAndSet("", "the connection broke: " + problem.getMessage());
  }

  @Override
  public void sessionClosed(Session session) {
    Visit visit = Visit.of(session);
    if (visit == null) {
      return;
    }
    audit.metrics().loginsNow.decrement();
    visit.end();
    String why = Objects.requireNonNullElse(end(session).get(), "");
    audit.write(
        visit
            .describe(audit.event("logout"))
            .with("fromClient", visit.bytesFromClient())
            .with("toClient", visit.bytesToClient())
            .with("ms", visit.age())
            .with("end", why.isEmpty() ? "the client closed the connection" : why));
    users.leave(visit.account().name(), visit.user());
  }
}
