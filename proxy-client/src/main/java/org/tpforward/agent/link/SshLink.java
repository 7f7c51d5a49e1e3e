package org.tpforward.agent.link;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.sshd.client.session.ClientSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.Announcement;
import org.tpforward.ssh.ChannelOpenFailedException;
import org.tpforward.ssh.Incoming;
import org.tpforward.ssh.Opening;
import org.tpforward.ssh.SshChannels;
import org.tpforward.telepathy.AddressType;

/**
 * The link over one SSH connection, which is made again when it is lost.
 *
 * <p>{@link #connect} makes the first connection and may ask the user. After that a thread of the
 * link's own watches it; when it is lost, {@link LinkListener#onDown} is called first, then the
 * channels end with an exception, then the connection is tried again with growing waits, never
 * asking anybody. Once a new one is there the server's process for the old one is ended ({@link
 * RemoteSession}), and only then {@link LinkListener#onUp} is called. A changed host key ends the
 * tries for good.
 *
 * <p>Safe for threads. {@link #close} ends everything and wakes everybody who waits.
 */
public final class SshLink implements Link, Closeable {
  private static final Logger log = LoggerFactory.getLogger(SshLink.class);

  private final LinkOptions options;
  private final LinkTimes times;
  private final UserEnvironment environment;
  private final SshConfig config;
  private final List<LinkListener> listeners = new CopyOnWriteArrayList<>();
  private final RemoteShell shell;
  // So that a connection that is made again in the background need not ask for a passphrase.
  private final Map<Path, KeyPair> unlocked = new ConcurrentHashMap<>();
  private final Object lock = new Object();
  private final Object notification = new Object();

  // What connect has left to settle.
  private final AtomicReference<@Nullable Runnable> unsettled = new AtomicReference<>();

  // Guarded by lock.
  private LinkState state = new LinkState.Down("not connected yet", null);
  private @Nullable Connection connection;
  private @Nullable RemoteSession remoteSession;
  // What lost connections may have left in the server's file system.
  private final List<RemoteSockets> abandoned = new ArrayList<>();
  private @Nullable Thread reconnecting;
  private @Nullable LinkException ended;
  private boolean retryNow;

  private volatile Abilities abilities = Abilities.OPENSSH;
  private volatile Announcement announcement = Announcement.NONE;

  /**
   * Reads the configuration; connects to nothing yet.
   *
   * @throws LinkException if the configuration cannot be read or followed
   */
  public SshLink(LinkOptions options, LinkTimes times, UserEnvironment environment)
      throws LinkException {
    this.options = options;
    this.times = times;
    this.environment = environment;
    this.config = SshConfigReader.read(options, environment);
    this.shell = new RemoteShell(this::session, times.exec());
  }

  /**
   * Makes the first connection. Call it once, and {@link #settle} some time later. Blocks, also for
   * the user's answers.
   *
   * @throws LinkException if it fails; nothing is tried again then
   */
  public void connect() throws LinkException {
    synchronized (lock) {
      if (ended != null) {
        throw ended;
      }
      state = new LinkState.Connecting();
    }
    try {
      unsettled.set(establish(options.interactive()));
    } catch (LinkException e) {
      synchronized (lock) {
        if (ended == null) {
          state = new LinkState.Down(String.valueOf(e.getMessage()), null);
        }
      }
      throw e;
    }
  }

  /**
   * Begins with what a loss of the first connection will need, and what earlier ones have left: it
   * runs commands on the server, which would hold up what the user waits for. Does not block. Later
   * connections settle by themselves.
   */
  public void settle() {
    Runnable rest = unsettled.getAndSet(null);
    if (rest != null) {
      inBackground(rest);
    }
  }

  private static void inBackground(Runnable work) {
    Thread.ofVirtual().name("ssh-session").start(work);
  }

  /** Has somebody told of losses and returns from now on. */
  public void addListener(LinkListener listener) {
    listeners.add(listener);
  }

  /** How the link is now. */
  public LinkState state() {
    synchronized (lock) {
      return state;
    }
  }

  /** {@code user@host:port}, as the configuration has it; for messages. */
  public String target() {
    return config.user() + "@" + config.knownAs();
  }

  /** Commands on the server, on whatever connection is up. */
  public RemoteShell shell() {
    return shell;
  }

  /** Files on the server. */
  public RemoteFiles files() {
    return new RemoteFiles(shell);
  }

  @Override
  public Abilities abilities() {
    return abilities;
  }

  /**
   * {@inheritDoc}
   *
   * @throws LinkException if the link is closed, has been given up, or does not come up in time
   */
  @Override
  public Duplex open(Endpoint target) throws IOException {
    try {
      return SshChannels.open(session(), target, times.channel(), abilities.abstractNames());
    } catch (ChannelOpenFailedException e) {
      throw refused(target, e);
    }
  }

  /**
   * As {@link #open(Endpoint)}, but tries again when nobody seems to listen: a listener whose
   * backlog is full refuses sshd at once, where a local connect would wait.
   *
   * @param tries at least 1; the waits between them are 10, 20, 40 ms and so on, each at most 500
   */
  public Duplex open(Endpoint target, int tries) throws IOException {
    long wait = 10;
    for (int attempt = 1; ; attempt++) {
      try {
        return open(target);
      } catch (ChannelRefusedException e) {
        if (attempt >= tries || e.reason() != ChannelRefusedException.Reason.CONNECT_FAILED) {
          throw e;
        }
        try {
          Thread.sleep(wait + ThreadLocalRandom.current().nextLong(wait));
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw e;
        }
        wait = Math.min(250, wait * 2);
      }
    }
  }

  @Override
  public boolean begin(Endpoint target, Opening opening) {
    Connection up;
    synchronized (lock) {
      up = ended == null ? connection : null;
    }
    if (up == null) {
      return false;
    }
    try {
      SshChannels.begin(up.session(), target, times.channel(), abilities.abstractNames(), opening);
      return true;
    } catch (IOException e) {
      log.debug("a channel to {} cannot be opened at once: {}", target, e.toString());
      return false;
    }
  }

  /** What the server says of itself; meaningful once the link has been up. */
  Announcement announcement() {
    return announcement;
  }

  /** Somebody has found out by other means that sshd connects to no Unix socket. */
  void unixIsForbidden() {
    Abilities now = abilities;
    abilities = new Abilities(false, now.tcp(), now.credentials(), now.abstractNames());
  }

  @Override
  public RemoteSocket listen(AddressType type, Consumer<Incoming> connections) throws IOException {
    return current().sockets().listen(type, connections);
  }

  private ChannelRefusedException refused(Endpoint target, ChannelOpenFailedException e) {
    // A server that announces something decides about each socket by itself; sshd about all.
    boolean decidesEach = !announcement.equals(Announcement.NONE);
    ChannelRefusedException refused = Refusals.of(target, e, decidesEach);
    boolean never =
        refused.reason() == ChannelRefusedException.Reason.UNKNOWN_TYPE
            || (refused.reason() == ChannelRefusedException.Reason.PROHIBITED && !decidesEach);
    if (never) {
      Abilities now = abilities;
      boolean tcp = target instanceof Endpoint.Ip;
      abilities =
          new Abilities(
              now.unix() && tcp, now.tcp() && !tcp, now.credentials(), now.abstractNames());
    }
    return refused;
  }

  /** Ends the wait before the next try: the network may have come back. */
  public void retryNow() {
    synchronized (lock) {
      retryNow = true;
      lock.notifyAll();
    }
  }

  private ClientSession session() throws IOException {
    return current().session();
  }

  /** The connection, once the link is up; waits for it within the bound. */
  private Connection current() throws IOException {
    long deadline = System.nanoTime() + times.open().toNanos();
    synchronized (lock) {
      while (true) {
        if (ended != null) {
          throw new LinkException(ended.reason(), String.valueOf(ended.getMessage()), ended);
        }
        if (connection != null) {
          return connection;
        }
        long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
        if (left <= 0 || reconnecting == null) {
          String why = state instanceof LinkState.Down down ? ": " + down.reason() : "";
          throw new LinkException(LinkException.Cause.LOST, "the link is down" + why);
        }
        try {
          lock.wait(left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new LinkException(LinkException.Cause.LOST, "interrupted", e);
        }
      }
    }
  }

  /** Returns what is still to be done once there is time for it. */
  private Runnable establish(boolean interactive) throws LinkException {
    SshConfig current = interactive ? config : background();
    Connector connector = new Connector(current, times, environment, interactive, unlocked);
    Loss loss = new Loss();
    Connection made = connector.connect(loss);
    Announcement announced = Announcement.of(made.session());
    Abilities learnt = abilities;
    announcement = announced;
    abilities =
        new Abilities(
            learnt.unix(), learnt.tcp(), announced.credentials(), announced.abstractNames());
    RemoteShell own = new RemoteShell(made::session, times.exec());
    RemoteSession previous;
    List<RemoteSockets> left;
    synchronized (lock) {
      previous = remoteSession;
      left = List.copyOf(abandoned);
      abandoned.clear();
    }
    if (previous != null) {
      previous.end(own);
    }
    left.forEach(sockets -> sockets.removeBy(new RemoteFiles(own)));
    synchronized (notification) {
      LinkException over;
      synchronized (lock) {
        over = ended;
        if (over == null) {
          connection = made;
          reconnecting = null;
          state = new LinkState.Up(Instant.now());
          lock.notifyAll();
        }
      }
      if (over != null) {
        made.close();
        throw over;
      }
      listeners.forEach(LinkListener::onUp);
    }
    loss.arm(made);
    // Who announces something runs no commands, says so in its audit, and tidies up by itself.
    return announced.equals(Announcement.NONE) ? () -> learn(made, own) : () -> {};
  }

  /** The same configuration, in which a jump host's ssh asks nobody either. */
  private SshConfig background() throws LinkException {
    LinkOptions quiet =
        new LinkOptions(
            options.destination(),
            options.configFile(),
            options.identities(),
            options.port(),
            options.options(),
            options.reconnect(),
            false);
    return SshConfigReader.read(quiet, environment);
  }

  private void learn(Connection made, RemoteShell own) {
    RemoteSession found = RemoteSession.find(own);
    synchronized (lock) {
      if (found != null && connection == made) {
        remoteSession = found;
      }
    }
    // Only now: the link may be lost in the middle of it, and then the session must be known.
    new RemoteFiles(own).removeLeftovers();
  }

  /** What happens when a connection ends; it may do so before anybody knew that it was there. */
  private final class Loss implements Runnable {
    private @Nullable Connection made;
    private boolean lost;

    @Override
    public void run() {
      Connection known;
      synchronized (this) {
        lost = true;
        known = made;
      }
      if (known != null) {
        lost(known);
      }
    }

    void arm(Connection connection) {
      synchronized (this) {
        made = connection;
        if (!lost) {
          return;
        }
      }
      lost(connection);
    }
  }

  private void lost(Connection gone) {
    String reason = gone.whyLost();
    synchronized (notification) {
      synchronized (lock) {
        if (connection != gone) {
          return;
        }
        connection = null;
        abandoned.add(gone.sockets());
        if (ended == null) {
          state = new LinkState.Down(reason, null);
          if (options.reconnect()) {
            reconnecting =
                Thread.ofPlatform().daemon().name("ssh-reconnect").unstarted(this::retry);
          } else {
            ended = new LinkException(LinkException.Cause.LOST, "the link was lost: " + reason);
          }
        }
        lock.notifyAll();
      }
      log.warn("the link to {} is lost: {}", target(), reason);
      tellDown(reason);
    }
    Thread thread;
    synchronized (lock) {
      thread = reconnecting;
    }
    // Not in this thread, which is the connection's own.
    Thread.ofVirtual().name("ssh-cleanup").start(gone::close);
    if (thread != null) {
      thread.start();
    }
  }

  private void tellDown(String reason) {
    for (LinkListener listener : listeners) {
      try {
        listener.onDown(reason);
      } catch (RuntimeException e) {
        log.error("a listener failed", e);
      }
    }
  }

  private void retry() {
    Backoff backoff =
        new Backoff(times.firstRetry(), times.longestRetry(), ThreadLocalRandom.current());
    String reason = state() instanceof LinkState.Down down ? down.reason() : "";
    while (pause(backoff.next(), reason)) {
      try {
        inBackground(establish(false));
        log.info("the link to {} is up again", target());
        return;
      } catch (LinkException e) {
        reason = String.valueOf(e.getMessage());
        if (!e.mayPass()) {
          giveUp(e);
          return;
        }
        log.warn("{}", reason);
      } catch (RuntimeException e) {
        log.error("connecting failed", e);
        reason = e.toString();
      }
    }
  }

  private void giveUp(LinkException e) {
    synchronized (lock) {
      if (ended != null) {
        return;
      }
      ended = e;
      reconnecting = null;
      state = new LinkState.Down(String.valueOf(e.getMessage()), null);
      lock.notifyAll();
    }
    log.error("not connecting to {} any more: {}", target(), e.getMessage());
    tellDown(String.valueOf(e.getMessage()));
  }

  /** Waits; false once this link has been closed. */
  private boolean pause(Duration wait, String reason) {
    long deadline = System.nanoTime() + wait.toNanos();
    synchronized (lock) {
      state = new LinkState.Down(reason, Instant.now().plus(wait));
      while (ended == null && !retryNow) {
        long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
        if (left <= 0) {
          break;
        }
        try {
          lock.wait(left);
        } catch (InterruptedException e) {
          return false;
        }
      }
      retryNow = false;
      if (ended == null) {
        state = new LinkState.Connecting();
      }
      return ended == null;
    }
  }

  /** Ends the link, its channels and its tries, for good. Idempotent. */
  @Override
  public void close() {
    Connection last;
    synchronized (lock) {
      if (state instanceof LinkState.Closed) {
        return;
      }
      ended = new LinkException(LinkException.Cause.CLOSED, "the link was closed");
      state = new LinkState.Closed();
      last = connection;
      connection = null;
      lock.notifyAll();
    }
    if (last != null) {
      last.sockets().close();
      last.close();
    }
  }
}
