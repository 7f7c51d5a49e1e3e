package org.tpforward.telepathy;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.tpforward.dbus.Value;

/**
 * The kinds of socket that somebody can offer: {@code Supported_Socket_Map}, {@code a{uau}}, from
 * address type to access controls.
 */
public record SocketAbilities(Set<SocketKind> kinds) {
  /** The signature of a {@code Supported_Socket_Map}. */
  public static final String SIGNATURE = "a{uau}";

  /** No kind at all. */
  public static final SocketAbilities NONE = new SocketAbilities(Set.of());

  /** The eight kinds that exist. */
  public static final SocketAbilities ALL =
      new SocketAbilities(new LinkedHashSet<>(SocketKind.ALL));

  /**
   * Every address type, each with Localhost only: what an agent offers for files, because
   * telepathy-glib 0.24 sends wrong parameters for files under Port and Credentials.
   */
  public static final SocketAbilities LOCALHOST_ONLY =
      new SocketAbilities(
          new LinkedHashSet<>(
              SocketKind.ALL.stream().filter(k -> k.access() == AccessControl.LOCALHOST).toList()));

  public SocketAbilities {
    kinds = Set.copyOf(kinds);
  }

  /** Reads a map; what the specification does not know, or what does not exist, is left out. */
  public static SocketAbilities of(Value.Dict map) {
    Set<SocketKind> kinds = new LinkedHashSet<>();
    for (Value.Entry entry : map.entries()) {
      if (!(entry.key() instanceof Value.Uint32 type)
          || !(entry.value() instanceof Value.Array accesses)) {
        continue;
      }
      for (Value access : accesses.elements()) {
        if (access instanceof Value.Uint32 code) {
          AddressType.of(type.value())
              .flatMap(t -> AccessControl.of(code.value()).map(a -> new SocketKind(t, a)))
              .filter(SocketKind.ALL::contains)
              .ifPresent(kinds::add);
        }
      }
    }
    return new SocketAbilities(kinds);
  }

  /** The same as a map for the bus, in the numbers' order. */
  public Value.Dict toValue() {
    List<Value.Entry> entries = new ArrayList<>();
    for (AddressType type : AddressType.values()) {
      List<Value> accesses = new ArrayList<>();
      for (AccessControl access : AccessControl.values()) {
        if (kinds.contains(new SocketKind(type, access))) {
          accesses.add(Value.u(access.code()));
        }
      }
      if (!accesses.isEmpty()) {
        entries.add(new Value.Entry(Value.u(type.code()), new Value.Array("u", accesses)));
      }
    }
    return new Value.Dict("u", "au", entries);
  }
}
