package org.tpforward.loopback;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.UInt32;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/** Which sockets the CM offers for files. */
enum Profile {
  /** As gabble does: everything that is not abstract, with Localhost only. */
  GABBLE("gabble"),
  /** Every kind of socket that exists. */
  FULL("full"),
  /** IPv4 and IPv6 with every access control. */
  TCP_ONLY("tcp-only"),
  /** Unix sockets in the file system with Credentials. */
  CREDENTIALS_ONLY("credentials-only");

  private final String word;

  Profile(String word) {
    this.word = word;
  }

  /** The profile that the command line calls so. */
  static Profile of(String word) {
    for (Profile profile : values()) {
      if (profile.word.equals(word)) {
        return profile;
      }
    }
    throw new IllegalArgumentException("no profile is called " + word);
  }

  /** The kinds for files. */
  List<SocketKind> files() {
    return SocketKind.ALL.stream().filter(this::hasForFiles).toList();
  }

  /** The kinds for stream tubes: gabble has more of them there. */
  List<SocketKind> streamTubes() {
    return this == GABBLE
        ? SocketKind.ALL.stream().filter(k -> k.type() != AddressType.ABSTRACT_UNIX).toList()
        : files();
  }

  /** The access controls for D-Bus tubes: TCP carries no credentials. */
  List<AccessControl> dbusTubes() {
    return switch (this) {
      case GABBLE, FULL -> List.of(AccessControl.LOCALHOST, AccessControl.CREDENTIALS);
      case TCP_ONLY -> List.of(AccessControl.LOCALHOST);
      case CREDENTIALS_ONLY -> List.of(AccessControl.CREDENTIALS);
    };
  }

  private boolean hasForFiles(SocketKind kind) {
    return switch (this) {
      case GABBLE ->
          kind.type() != AddressType.ABSTRACT_UNIX && kind.access() == AccessControl.LOCALHOST;
      case FULL -> true;
      case TCP_ONLY -> kind.type().isIp();
      case CREDENTIALS_ONLY ->
          kind.type() == AddressType.UNIX && kind.access() == AccessControl.CREDENTIALS;
    };
  }

  /** {@code a{uau}} of such kinds. */
  static Map<UInt32, List<UInt32>> abilities(List<SocketKind> kinds) {
    Map<UInt32, List<UInt32>> map = new LinkedHashMap<>();
    for (AddressType type : AddressType.values()) {
      List<UInt32> accesses = new ArrayList<>();
      for (AccessControl access : AccessControl.values()) {
        if (kinds.contains(new SocketKind(type, access))) {
          accesses.add(Values.u(access.code()));
        }
      }
      if (!accesses.isEmpty()) {
        map.put(Values.u(type.code()), accesses);
      }
    }
    return map;
  }
}
