package org.tpforward.server.bus;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.AuthenticationException;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.SaslServer;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Connection;
import org.tpforward.socket.Endpoint;

/**
 * One forwarded connection of a user to a bus: lets through what the policy allows, and reads it.
 *
 * <p>The user's programs are on the other side of an SSH connection and are trusted with Telepathy
 * only. The bus, and whoever else is on it, is trusted as far as the bus itself goes: that it
 * writes senders, and routes as the specification says. The rules are those that xdg-dbus-proxy
 * documents for its filter, in this program's own words:
 *
 * <p><b>Levels.</b> A well-known name is hidden, or one may <i>see</i>, <i>talk to</i> or
 * <i>own</i> it; each includes the one before. Talk: the bus itself, org.freedesktop.Telepathy and
 * all names below it, and the operator's {@code --allow-name}. Own: names below
 * org.freedesktop.Telepathy.Client, and no others. See: names to which only certain calls are
 * allowed, {@code --allow-call}. Everything else is hidden.
 *
 * <p><b>Unique names.</b> A unique name has the highest level of all the well-known names that it
 * owns or ever owned: messages that it sent before it gave a name up may still be on their way.
 * Nobody owns another's unique name, so that level ends at talk. The client's own unique name may
 * be talked to. All others are hidden, but that a peer who sends this client a call or a signal of
 * its own accord can be seen from then on, so that its end can be noticed.
 *
 * <p><b>Hidden is the same as absent.</b> Calls to a hidden name are not passed on and get the
 * error that the bus has for a name that nobody owns and nothing can start: ServiceUnknown, or
 * NameHasNoOwner where the call forbids starting it. The bus's own methods answer likewise:
 * NameHasOwner false, GetNameOwner and the GetConnection methods NameHasNoOwner, StartServiceByName
 * ServiceUnknown. ListNames and ListActivatableNames list what is seen. NameOwnerChanged passes for
 * names that are seen, and of unique names for their end only. No broadcast of a hidden sender, or
 * of one that is only seen, passes, whatever the client's match rules ask for.
 *
 * <p><b>What may be seen but not done</b> gets AccessDenied: calls to names that are only seen,
 * unless a rule allows them, and starting them; RequestName, ReleaseName and ListQueuedOwners of
 * names that may not be owned, whoever has them. And of the bus itself whatever is not named here:
 * BecomeMonitor, UpdateActivationEnvironment (it would put variables into the environment of what
 * the bus starts), the interfaces for debugging; GetMachineId too. Match rules may not eavesdrop.
 *
 * <p><b>Replies</b> pass once for each call that went out, and only from who was called (under a
 * well-known name: from an owner of it), or as an error from the bus itself. A client may answer
 * each call that it got once. At most {@link Outstanding#MAX} calls wait in either direction;
 * further ones are answered with LimitsExceeded. A serial that is used again while its reply is
 * awaited ends the connection.
 *
 * <p><b>Peers</b> are not filtered beyond that: each may call the client, or send it a signal that
 * is for it alone. A client's broadcasts pass. Descriptors do not; messages of unknown types do
 * not.
 *
 * <p><b>Sockets.</b> Calls by which sockets cross the bus and their replies are read, and {@link
 * HandedOut} keeps what may be connected to, or offered; an offer of any other address does not
 * reach the CM.
 *
 * <p>SASL ends on both sides. The client is whoever SSH says, so the identity that it names does
 * not matter; to the bus it is this process. Bodies pass byte for byte and are not held, except for
 * those that the rules above must read: calls of 64 KiB, and lists of the bus of 1 MiB. Two threads
 * pump, each blocking when its receiver does not read; whatever ends one direction ends both.
 */
public final class PolicedBus implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PolicedBus.class);

  /** For each of the two; dbus-daemon allows as much. */
  private static final Duration SASL_TIMEOUT = Duration.ofSeconds(30);

  private final Duplex bus;
  private final HandedOut handedOut;
  private final Visible visible;
  private final SocketCrossings sockets;
  private final Outstanding outstanding;
  private final ClientFilter fromClient;
  private final BusFilter fromBus;
  private final AtomicReference<String> end = new AtomicReference<>();
  private final AtomicReference<Duplex> client = new AtomicReference<>();

  private PolicedBus(Duplex bus, BusPolicy policy, HandedOut handedOut) {
    this.bus = bus;
    this.handedOut = handedOut;
    this.visible = new Visible(new PolicyRules(policy), handedOut.names());
    this.sockets = new SocketCrossings(handedOut);
    this.outstanding = new Outstanding(sockets::abandoned);
    Unanswered unanswered = new Unanswered();
    this.fromClient = new ClientFilter(visible, sockets, outstanding, unanswered);
    this.fromBus = new BusFilter(visible, handedOut, sockets, outstanding, unanswered);
  }

  /**
   * Connects to the bus's socket; nothing is sent yet. The caller closes it, or calls {@link
   * #serve}.
   *
   * @param bus where it listens
   * @param handedOut of this user on this bus; is told which addresses cross. Its end is this one's
   * @throws IOException if nobody listens there
   */
  public static PolicedBus connect(Endpoint bus, BusPolicy policy, HandedOut handedOut)
      throws IOException {
    return over(Connection.connect(bus), policy, handedOut);
  }

  static PolicedBus over(Duplex bus, BusPolicy policy, HandedOut handedOut) throws IOException {
    PolicedBus policed = new PolicedBus(bus, policy, handedOut);
    if (!handedOut.add(policed)) {
      policed.close();
      throw new IOException("the bus is gone");
    }
    return policed;
  }

  /**
   * Carries one client's connection, SASL included, until either side ends it; blocks so long.
   * SASL's EXTERNAL is accepted from the client whatever identity it names (SSH has told who it
   * is), and this process's own is used towards the bus. Both streams are closed afterwards.
   *
   * @param client the SSH channel's bytes
   * @return why it ended: one line for the audit
   */
  public String serve(Duplex client) {
    this.client.set(client);
    if (end.get() != null) {
      client.close();
    }
    try {
      SaslClient.Result above = SaslClient.external(bus, SASL_TIMEOUT);
      SaslServer.Result below = SaslServer.vouched(client, above.guid(), SASL_TIMEOUT);
      carry(
          client,
          new MessageReader(client, below.leftOver()),
          new MessageReader(bus, above.leftOver()));
    } catch (AuthenticationException e) {
      end("no authentication: " + e.getMessage());
    } catch (IOException e) {
      end("the connection failed: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      end("the server ends");
    } finally {
      end("the server could not handle it");
      outstanding.close();
      String own = visible.own();
      if (own != null) {
        handedOut.parted(own);
      }
    }
    return String.valueOf(end.get());
  }

  private void carry(Duplex client, MessageReader clientReader, MessageReader busReader)
      throws InterruptedException {
    MessageWriter toClient = new MessageWriter(client);
    MessageWriter toBus = new MessageWriter(bus);
    Thread down =
        Threads.start(
            "bus down",
            () ->
                pump(
                    "bus",
                    Message.MAX_READ,
                    busReader,
                    toClient,
                    toBus,
                    fromBus::mayHold,
                    fromBus::judge));
    pump(
        "client",
        Message.MAX_CALL,
        clientReader,
        toBus,
        toClient,
        fromClient::mayHold,
        fromClient::judge);
    down.join();
  }

  private interface Filter {
    Verdict judge(Message message) throws IOException;
  }

  private interface Holding {
    boolean mayHold(Header header);
  }

  /**
   * Carries one direction until it ends.
   *
   * @param max bytes of a body that may be looked into
   * @param onward where messages go
   * @param back where answers go
   */
  private void pump(
      String source,
      int max,
      MessageReader from,
      MessageWriter onward,
      MessageWriter back,
      Holding holding,
      Filter filter) {
    try {
      for (Header header; (header = from.next()) != null; ) {
        if (holding.mayHold(header)) {
          onward.flush(); // What came before it must not wait with it.
        }
        Message message = new Message(header, from, max);
        switch (filter.judge(message)) {
          case Verdict.Pass p -> message.passTo(onward);
          case Verdict.Drop d -> message.drop();
          case Verdict.Instead(Header h, byte[] body) -> {
            message.drop();
            onward.write(h, body);
          }
          case Verdict.Answer(Header h, byte[] body) -> {
            message.drop();
            back.write(h, body);
            back.flush();
          }
        }
        if (!from.hasBuffered()) {
          onward.flush();
        }
      }
      onward.flush();
      end("the " + source + " closed it");
    } catch (ProtocolException e) {
      end("malformed D-Bus from the " + source + ": " + e.getMessage());
    } catch (IOException e) {
      end("the connection to the " + source + " or from it broke: " + e.getMessage());
    } catch (RuntimeException e) {
      log.error("what the {} sent could not be handled", source, e);
      end("what the " + source + " sent could not be handled");
    }
  }

  private void end(String reason) {
    if (end.compareAndSet(null, reason)) {
      bus.close();
      Duplex stream = client.get();
      if (stream != null) {
        stream.close();
      }
      handedOut.remove(this);
    }
  }

  /** Ends it, from any thread. Idempotent. */
  @Override
  public void close() {
    end("it was closed here");
  }
}
