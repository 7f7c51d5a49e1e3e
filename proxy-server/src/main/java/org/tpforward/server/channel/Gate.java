package org.tpforward.server.channel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.apache.sshd.common.session.Session;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.server.audit.Audit;
import org.tpforward.server.bus.BusPolicy;
import org.tpforward.server.bus.HandedOut;
import org.tpforward.server.bus.Listening;
import org.tpforward.server.bus.PolicedBus;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;
import org.tpforward.ssh.ChannelOpenFailedException;
import org.tpforward.ssh.Incoming;
import org.tpforward.ssh.ServerRequests;

/**
 * The one place where it is decided what a client's channel leads to: the bus, or a socket that a
 * CM handed out to this very user. All else is refused, with a line for the client and one for the
 * audit; the session goes on.
 */
public final class Gate implements ServerRequests {
  /** What a client asks for to reach the user's bus, whatever the bus's own path is. */
  public static final String BUS = "/bus";

  private static final Logger log = LoggerFactory.getLogger(Gate.class);

  /** Where systemd has a user's bus: what scripts ask for who know nothing of this server. */
  private static final Pattern SYSTEMD_BUS = Pattern.compile("/run/user/[0-9]{1,10}/bus");

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  private final Audit audit;
  private final BusPolicy policy;
  private final String directory;
  private volatile boolean ending;

  /**
   * @param directory in which clients may have this server listen, private to this process's user
   */
  public Gate(Audit audit, BusPolicy policy, Path directory) {
    this.audit = audit;
    this.policy = policy;
    this.directory = directory.toString();
  }

  /** Opens no more channels; those that are open go on. */
  public void end() {
    ending = true;
  }

  @Override
  public void open(Session session, Request request, Incoming incoming) {
    Visit visit = Visit.of(session);
    if (visit == null) {
      incoming.refuse("not logged in");
      return;
    }
    log.debug("{} asked for {} {}", visit.account().name(), request.type(), request.wanted());
    Endpoint target = request.target();
    if (target == null || (target instanceof Endpoint.Ip ip && !ip.isLoopback())) {
      String why = never(request.type());
      incoming.refuse(why);
      Passage.refused(audit, visit, request.type(), request.wanted(), why);
      return;
    }
    if (ending || !visit.user().takeChannel()) {
      String why = ending ? "this server is ending" : "too many channels are open";
      incoming.refuse(ChannelOpenFailedException.RESOURCE_SHORTAGE, why);
      Passage.refused(audit, visit, request.type(), request.wanted(), why);
      return;
    }
    Passage passage = new Passage(audit, visit, request.type(), request.wanted());
    try {
      Threads.start(
          "channel to " + request.wanted(), () -> connect(visit, target, incoming, passage));
    } catch (OutOfMemoryError e) { // How the JDK says that there is no further thread.
      incoming.refuse(ChannelOpenFailedException.RESOURCE_SHORTAGE, "no thread");
      passage.refused("no thread");
    }
  }

  private static String never(String type) {
    return switch (type) {
      case "session" ->
          "no shell and no commands here: this server forwards a Telepathy bus (ssh -N -L LOCAL:"
              + BUS
              + ")";
      case "direct-tcpip", "direct-streamlocal@openssh.com" ->
          "only sockets of this machine that a connection manager handed out can be reached";
      default -> "this server forwards a Telepathy bus and its sockets, and nothing else";
    };
  }

  /** On the channel's own thread, which for a bus is one of its two pumps from then on. */
  private void connect(Visit visit, Endpoint target, Incoming incoming, Passage passage) {
    try {
      HandedOut handedOut = visit.user().handedOut();
      if (isBus(target, visit.user().bus())) {
        PolicedBus bus = PolicedBus.connect(visit.user().bus(), policy, handedOut);
        serve(bus, incoming, passage);
      } else {
        pass(Reach.to(target, handedOut), incoming, passage);
      }
    } catch (Reach.ForbiddenException e) {
      refuse(ChannelOpenFailedException.PROHIBITED, e, incoming, passage);
    } catch (IOException e) {
      refuse(ChannelOpenFailedException.CONNECT_FAILED, e, incoming, passage);
    } catch (RuntimeException e) {
      log.error("a channel could not be opened", e);
      refuse(ChannelOpenFailedException.CONNECT_FAILED, e, incoming, passage);
    }
  }

  private static void refuse(int code, Exception e, Incoming incoming, Passage passage) {
    incoming.refuse(code, String.valueOf(e.getMessage()));
    passage.refused(String.valueOf(e.getMessage()));
  }

  private static void serve(PolicedBus bus, Incoming incoming, Passage passage) {
    Duplex client;
    try {
      client = incoming.accept();
    } catch (IOException e) {
      bus.close();
      passage.refused(String.valueOf(e.getMessage()));
      return;
    }
    passage.serve(client, bus::serve);
  }

  private static void pass(Reach reach, Incoming incoming, Passage passage) {
    Duplex client;
    try {
      client = incoming.accept();
    } catch (IOException e) {
      reach.stream().reset();
      passage.refused(String.valueOf(e.getMessage()));
      return;
    }
    passage.relay(client, reach.stream(), reach.grant());
  }

  private static boolean isBus(Endpoint target, Endpoint bus) {
    return target.equals(bus)
        || (target instanceof Endpoint.UnixPath(String path)
            && (path.equals(BUS) || SYSTEMD_BUS.matcher(path).matches()));
  }

  /**
   * {@inheritDoc}
   *
   * <p>May wait for the bus, which is asked about the offers, when a client listens before anything
   * else: that stops none but itself.
   */
  @Override
  public Endpoint listen(Session session, @Nullable Endpoint at, String wanted) throws IOException {
    Visit visit = Visit.of(session);
    if (visit == null) {
      throw new IOException("not logged in");
    }
    try {
      return listen(visit, allowed(at));
    } catch (IOException e) {
      String type = at instanceof Endpoint.Ip ? "tcpip-forward" : "streamlocal-forward@openssh.com";
      Passage.refused(audit, visit, type, wanted, String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private Endpoint allowed(@Nullable Endpoint at) throws IOException {
    boolean allowed =
        switch (at) {
          case Endpoint.UnixPath(String path) ->
              path.startsWith(directory + "/")
                  && NAME.matcher(path.substring(directory.length() + 1)).matches();
          // A port below is a service's.
          case Endpoint.Ip ip -> ip.isLoopback() && (ip.port() == 0 || ip.port() >= 1024);
          case Endpoint.UnixAbstract name -> false;
          case null -> false;
        };
    if (at == null || !allowed) {
      throw new IOException(
          "this server listens in " + directory + " and on ports of loopback, and nowhere else");
    }
    return at;
  }

  private Endpoint listen(Visit visit, Endpoint at) throws IOException {
    User user = visit.user();
    if (!user.takeListener()) {
      throw new IOException("too many listeners of this user are open");
    }
    Listener listener = null;
    Listening listening = null;
    try {
      HandedOut handedOut = user.handedOut();
      // Whose process connects is told on a connection that has its descriptor only.
      listener = at instanceof Endpoint.Ip ? Listener.open(at) : Listener.openForCredentials(at);
      listening = handedOut.listen(listener.endpoint());
      OfferedListener offered = new OfferedListener(audit, visit, listener, listening);
      if (!visit.add(offered)) {
        throw new IOException("the login is over");
      }
      offered.start();
      return offered.endpoint();
    } catch (IOException | RuntimeException e) {
      if (listening != null) {
        listening.close();
      }
      if (listener != null) {
        listener.close();
      }
      user.giveListenerBack();
      throw e;
    }
  }

  @Override
  public boolean cancel(Session session, Endpoint at) {
    Visit visit = Visit.of(session);
    OfferedListener listener = visit == null ? null : visit.remove(at);
    if (listener == null) {
      return false;
    }
    listener.close();
    return true;
  }
}
