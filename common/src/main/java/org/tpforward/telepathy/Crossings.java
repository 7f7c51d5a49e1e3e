package org.tpforward.telepathy;

import static org.tpforward.telepathy.Crossing.In.ARRIVING;
import static org.tpforward.telepathy.Crossing.In.CALL;
import static org.tpforward.telepathy.Crossing.In.REPLY;
import static org.tpforward.telepathy.Crossing.Use.INCOMING_FILE;
import static org.tpforward.telepathy.Crossing.Use.OUTGOING_FILE;
import static org.tpforward.telepathy.Names.APPROVER;
import static org.tpforward.telepathy.Names.CHANNEL_REQUEST;
import static org.tpforward.telepathy.Names.CONFERENCE;
import static org.tpforward.telepathy.Names.DBUS_TUBE;
import static org.tpforward.telepathy.Names.DISPATCH_OPERATION;
import static org.tpforward.telepathy.Names.FILE_TRANSFER;
import static org.tpforward.telepathy.Names.HANDLER;
import static org.tpforward.telepathy.Names.OBSERVER;
import static org.tpforward.telepathy.Names.REQUESTS;
import static org.tpforward.telepathy.Names.TUBES;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where sockets and abilities cross the bus: the one table that knows (specification 0.27.4).
 * FileTransfer.URI only informs about the desktop's file and passes; Call media, TLS certificates,
 * avatars and room lists carry no such addresses.
 */
public final class Crossings {
  /** The table. */
  public static final List<Crossing> TABLE =
      List.of(
          // The CM listens, the client connects.
          new Crossing.Accept(FILE_TRANSFER, "AcceptFile", "uuvt", INCOMING_FILE, -1, 0),
          new Crossing.Accept(FILE_TRANSFER, "ProvideFile", "uuv", OUTGOING_FILE, -1, 0),
          new Crossing.Accept(Names.STREAM_TUBE, "Accept", "uuv", Crossing.Use.STREAM_TUBE, -1, 0),
          new Crossing.Accept(TUBES, "AcceptStreamTube", "uuuv", Crossing.Use.STREAM_TUBE, 0, 1),
          // The client listens, the CM connects.
          new Crossing.Offer(Names.STREAM_TUBE, "Offer", "uvua{sv}", 0, -1, false),
          new Crossing.Offer(TUBES, "OfferStreamTube", "sa{sv}uvuv", 2, 5, true),
          new Crossing.NewConnection(Names.STREAM_TUBE, "NewRemoteConnection", "uvu", 1),
          // A D-Bus server's address.
          new Crossing.BusAddress(DBUS_TUBE, "Offer", "a{sv}u", -1, 1),
          new Crossing.BusAddress(DBUS_TUBE, "Accept", "u", -1, 0),
          new Crossing.BusAddress(TUBES, "AcceptDBusTube", "u", 0, -1),
          new Crossing.BusAddress(TUBES, "GetDBusTubeAddress", "u", 0, -1),
          new Crossing.TubeAddress(TUBES, "GetStreamTubeSocketAddress", "u"),
          // Abilities, by themselves.
          new Crossing.Abilities(TUBES, "GetAvailableStreamTubeTypes", ""),
          new Crossing.AbilityProperty(FILE_TRANSFER, "AvailableSocketTypes", "a{uau}"),
          new Crossing.AbilityProperty(Names.STREAM_TUBE, "SupportedSocketTypes", "a{uau}"),
          new Crossing.AbilityProperty(DBUS_TUBE, "SupportedAccessControls", "au"),
          // Abilities inside dictionaries of immutable properties.
          new Crossing.Nested(REQUESTS, "NewChannels", "a(oa{sv})", ARRIVING, 0),
          new Crossing.Nested(REQUESTS, "CreateChannel", "a{sv}", CALL, 0),
          new Crossing.Nested(REQUESTS, "CreateChannel", "a{sv}", REPLY, 1),
          new Crossing.Nested(REQUESTS, "EnsureChannel", "a{sv}", CALL, 0),
          new Crossing.Nested(REQUESTS, "EnsureChannel", "a{sv}", REPLY, 2),
          new Crossing.NestedProperty(REQUESTS, "Channels", "a(oa{sv})"),
          new Crossing.Nested(OBSERVER, "ObserveChannels", "ooa(oa{sv})oaoa{sv}", ARRIVING, 2),
          new Crossing.Nested(HANDLER, "HandleChannels", "ooa(oa{sv})aota{sv}", ARRIVING, 2),
          new Crossing.Nested(APPROVER, "AddDispatchOperation", "a(oa{sv})oa{sv}", ARRIVING, 0),
          new Crossing.NestedProperty(DISPATCH_OPERATION, "Channels", "a(oa{sv})"),
          new Crossing.Nested(CHANNEL_REQUEST, "SucceededWithChannel", "oa{sv}oa{sv}", ARRIVING, 3),
          new Crossing.Nested(CONFERENCE, "ChannelMerged", "oua{sv}", ARRIVING, 2));

  private static final Map<String, List<Crossing>> BY_MEMBER = byMember();
  private static final Map<String, Crossing.AbilityProperty> BY_QUALIFIED_NAME = byQualifiedName();

  private Crossings() {}

  /**
   * The crossings of a call or a signal; both of CreateChannel's, for its call and for its reply.
   *
   * @param interfaceName as in the header; null where the call leaves it out, which D-Bus allows:
   *     member and signature together are unambiguous in the table
   * @param signature the body's signature
   */
  public static List<Crossing> of(
      @Nullable String interfaceName, @Nullable String member, String signature) {
    List<Crossing> candidates = member == null ? null : BY_MEMBER.get(member);
    if (candidates == null) {
      return List.of();
    }
    List<Crossing> found = new ArrayList<>(2);
    for (Crossing crossing : candidates) {
      if ((interfaceName == null || interfaceName.equals(crossing.interfaceName()))
          && signature.equals(crossing.signature())) {
        found.add(crossing);
      }
    }
    return found;
  }

  /** The ability that stands under this name in a dictionary of immutable properties. */
  public static Crossing.@Nullable AbilityProperty ability(String qualifiedName) {
    return BY_QUALIFIED_NAME.get(qualifiedName);
  }

  /** Whether any property of that interface is an ability or holds some. */
  public static boolean hasProperties(String interfaceName) {
    return TABLE.stream()
        .anyMatch(c ->
            (c instanceof Crossing.AbilityProperty || c instanceof Crossing.NestedProperty)
                && c.interfaceName().equals(interfaceName));
  }

  /** Whether that property holds dictionaries of immutable properties. */
  public static boolean isNestedProperty(String interfaceName, String property) {
    return TABLE.stream()
        .anyMatch(c ->
            c instanceof Crossing.NestedProperty
                && c.interfaceName().equals(interfaceName)
                && c.member().equals(property));
  }

  private static Map<String, List<Crossing>> byMember() {
    Map<String, List<Crossing>> map = new HashMap<>();
    for (Crossing crossing : TABLE) {
      if (!(crossing instanceof Crossing.AbilityProperty
          || crossing instanceof Crossing.NestedProperty)) {
        map.computeIfAbsent(crossing.member(), m -> new ArrayList<>()).add(crossing);
      }
    }
    return map;
  }

  private static Map<String, Crossing.AbilityProperty> byQualifiedName() {
    Map<String, Crossing.AbilityProperty> map = new HashMap<>();
    for (Crossing.AbilityProperty p : Crossing.ofKind(Crossing.AbilityProperty.class, TABLE)) {
      map.put(p.qualifiedName(), p);
    }
    return map;
  }
}
