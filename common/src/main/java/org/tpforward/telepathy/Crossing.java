package org.tpforward.telepathy;

import java.util.List;

/**
 * One place where a socket, or the ability to make one, crosses the bus: a member of an interface,
 * and what of it means an address. {@link Crossings} holds all of them; whoever forwards is generic
 * over these kinds.
 */
public sealed interface Crossing {
  /** Which end of a channel's stream a socket is. */
  enum Use {
    /** The CM sends a file: its client reads. */
    INCOMING_FILE,
    /** The CM takes a file: its client writes. */
    OUTGOING_FILE,
    /** A stream tube: any number of connections, both directions. */
    STREAM_TUBE,
    /** A D-Bus tube: SASL, then a D-Bus connection. */
    DBUS_TUBE
  }

  /** The interface, in full. */
  String interfaceName();

  /** The method's, signal's or property's name. */
  String member();

  /** The signature of the call's arguments, or the signal's. */
  String signature();

  /**
   * A call by which the CM listens and the client connects; reply argument 0 is the address, a
   * variant.
   *
   * @param use what the socket carries
   * @param idArg where the tube's id stands, or -1 where the channel has one socket only
   * @param typeArg where the address type stands ({@code u}); the access control ({@code u}) and
   *     its parameter ({@code v}) follow
   */
  record Accept(
      String interfaceName, String member, String signature, Use use, int idArg, int typeArg)
      implements Crossing {}

  /**
   * A call by which the client listens and the CM connects.
   *
   * @param typeArg where the address type stands ({@code u}); the address ({@code v}) and the
   *     access control ({@code u}) follow
   * @param paramArg where the access control's parameter ({@code v}) stands, or -1
   * @param repliesId whether reply argument 0 is the new tube's id ({@code u})
   */
  record Offer(
      String interfaceName,
      String member,
      String signature,
      int typeArg,
      int paramArg,
      boolean repliesId)
      implements Crossing {}

  /**
   * A call whose reply argument 0 is the address of a D-Bus server, as a D-Bus address ({@code s}).
   *
   * @param idArg where the tube's id stands, or -1
   * @param accessArg where the access control stands ({@code u}), or -1 where there is none
   */
  record BusAddress(String interfaceName, String member, String signature, int idArg, int accessArg)
      implements Crossing {}

  /**
   * A call that asks for a stream tube's address: the id is argument 0; the reply is the address
   * type ({@code u}) and the address ({@code v}).
   */
  record TubeAddress(String interfaceName, String member, String signature) implements Crossing {}

  /**
   * A signal for each connection to an offered tube.
   *
   * @param paramArg where the parameter ({@code v}) stands that tells connections apart
   */
  record NewConnection(String interfaceName, String member, String signature, int paramArg)
      implements Crossing {}

  /** A call whose reply argument 0 is the abilities themselves, {@code a{uau}}. */
  record Abilities(String interfaceName, String member, String signature) implements Crossing {}

  /** In which message of a member a dictionary of immutable properties stands. */
  enum In {
    /** The call that the client sends. */
    CALL,
    /** The reply to it. */
    REPLY,
    /** A signal, or a call to the client: both come from the bus. */
    ARRIVING
  }

  /**
   * A message that has dictionaries of immutable properties somewhere in one argument, abilities
   * among them under their qualified names.
   *
   * @param arg the argument's index
   */
  record Nested(String interfaceName, String member, String signature, In in, int arg)
      implements Crossing {}

  /**
   * A property that is an ability.
   *
   * @param interfaceName the interface that it belongs to
   * @param member its name
   * @param signature {@code a{uau}} or {@code au}
   */
  record AbilityProperty(String interfaceName, String member, String signature)
      implements Crossing {
    /** The name under which it stands in a dictionary of immutable properties. */
    public String qualifiedName() {
      return interfaceName + "." + member;
    }
  }

  /**
   * A property that holds dictionaries of immutable properties, asked for by Properties.Get or
   * GetAll.
   */
  record NestedProperty(String interfaceName, String member, String signature)
      implements Crossing {}

  /** All the kinds, so that a table can be read through by kind. */
  static <T extends Crossing> List<T> ofKind(Class<T> kind, List<Crossing> table) {
    return table.stream().filter(kind::isInstance).map(kind::cast).toList();
  }
}
