package org.tpforward.agent.bus;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.agent.forward.Forward;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.Addresses;
import org.tpforward.telepathy.SocketKind;
import org.tpforward.telepathy.TelepathyException;

/** Reads the arguments of calls whose signatures have been compared already. */
final class Arguments {
  private Arguments() {}

  /** A {@code u}. */
  static long number(Value value) {
    return value instanceof Value.Uint32(long number) ? number : -1;
  }

  /** The channel that a call goes to, or that a signal comes from. */
  static ChannelKey channel(Message message, String owner) {
    return new ChannelKey(owner, String.valueOf(message.header().path()));
  }

  /** The tube's id, where the channel has many. */
  static long id(int idArg, List<Value> arguments) {
    return idArg < 0 ? Forward.NO_ID : number(arguments.get(idArg));
  }

  /** AcceptFile's offset in bytes, its last argument. */
  static long offset(List<Value> arguments) {
    return arguments.get(arguments.size() - 1) instanceof Value.Uint64(long offset) ? offset : 0;
  }

  /**
   * From where alone the client will connect; null where it is not asked to say.
   *
   * @throws TelepathyException InvalidArgument if it is no address of the kind
   */
  static Endpoint.@Nullable Ip source(SocketKind kind, Value parameter) throws TelepathyException {
    if (kind.access() != AccessControl.PORT) {
      return null;
    }
    // telepathy-glib 0.24 passes the port alone, as u, and connects from the loopback address.
    if (parameter instanceof Value.Variant(Value.Uint32(long port)) && port > 0 && port < 65536) {
      return new Endpoint.Ip(Addresses.loopback(kind.type()), (int) port);
    }
    Endpoint.Ip source = Addresses.ip(parameter);
    AddressType type = Addresses.typeOf(source);
    if (type != kind.type()) {
      throw TelepathyException.invalidArgument(
          source + " is no address from which a socket of type " + kind.type() + " is reached");
    }
    // It also names a socket that it has bound to all addresses.
    return source.address().isAnyLocalAddress()
        ? new Endpoint.Ip(Addresses.loopback(type), source.port())
        : source;
  }
}
