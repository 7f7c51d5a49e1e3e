package org.tpforward.agent.bus;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;
import org.tpforward.telepathy.Crossings;
import org.tpforward.telepathy.Names;

/**
 * Decides what becomes of each message of one bus client. It knows nothing of how messages arrive
 * and leave; all it does with them is in its {@link Outcome}s.
 *
 * <p>Only what comes from or goes to a <em>remote</em> peer is rewritten: a CM that is itself a
 * client of this agent is on the desktop already. And only what is for this client: what a monitor
 * sees is left alone.
 *
 * <p>{@link #fromClient} is called by the one thread that reads the client, {@link #fromBus} by the
 * one that reads the bus; each may block, and so holds back this client's stream in that direction
 * only.
 */
final class Translator {
  private final OwnNames own = new OwnNames();
  private final AwaitedReplies replies;
  private final CallTranslation calls;
  private final ArrivalTranslation arrivals;

  Translator(RemoteNames names, AbilityTranslation abilities, SocketTranslation sockets) {
    this.replies = new AwaitedReplies(sockets::abandoned);
    this.calls = new CallTranslation(names, abilities, sockets, replies);
    this.arrivals = new ArrivalTranslation(names, abilities, sockets, replies, own);
  }

  /** The client's unique name, once the reply to Hello has come. */
  @Nullable String uniqueName() {
    return own.unique();
  }

  /** The client is gone: nothing that it asked for will be taken up. */
  void closed() {
    replies.close();
  }

  /**
   * Whether the message may have to wait for the remote bus, the CM or a connection; if not, its
   * translation does not block.
   */
  boolean mayHold(Header header) {
    return switch (header.type()) {
      case METHOD_CALL ->
          isProperties(header)
              || !Crossings.of(header.interfaceName(), header.member(), header.signature())
                  .isEmpty();
      case SIGNAL ->
          !Crossings.of(header.interfaceName(), header.member(), header.signature()).isEmpty();
      case METHOD_RETURN, ERROR, UNKNOWN -> false;
    };
  }

  /** Whether the call asks for properties, in either of the two ways. */
  static boolean isProperties(Header header) {
    String interfaceName = header.interfaceName();
    if (interfaceName != null && !interfaceName.equals(Names.PROPERTIES)) {
      return false;
    }
    return switch (String.valueOf(header.member())) {
      case "Get" -> header.signature().equals("ss");
      case "GetAll" -> header.signature().equals("s");
      default -> false;
    };
  }

  /** What becomes of a message on its way from the client to the bus. */
  Outcome fromClient(Message message) throws IOException {
    return calls.translate(message);
  }

  /** What becomes of a message on its way from the bus to the client. */
  Outcome fromBus(Message message) throws IOException {
    return arrivals.translate(message);
  }
}
