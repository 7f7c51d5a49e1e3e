package org.tpforward.telepathy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tpforward.dbus.Value;

/** Address types, access controls, and which pairs of them exist. */
class SocketKindTest {
  @Test
  void eightKindsExist() {
    assertThat(SocketKind.ALL).hasSize(8).doesNotHaveDuplicates();
  }

  @Test
  void everyOtherPairIsNotImplemented() {
    int exist = 0;
    for (AddressType type : AddressType.values()) {
      for (AccessControl access : AccessControl.values()) {
        SocketKind kind = new SocketKind(type, access);
        if (SocketKind.ALL.contains(kind)) {
          exist++;
          assertThat(kindOf(type.code(), access.code())).isEqualTo(kind);
        } else {
          assertError(type.code(), access.code(), "NotImplemented");
        }
      }
    }
    assertThat(exist).isEqualTo(8);
  }

  @Test
  void numbersOutsideTheSpecificationAreInvalid() {
    assertError(4, 0, "InvalidArgument");
    assertError(0, 4, "InvalidArgument");
    assertError(0xffffffffL, 0, "InvalidArgument");
    assertError(-1, 0, "InvalidArgument");
  }

  @Test
  void abilitiesAreReadAndWrittenAsTheSpecificationsMap() {
    Value.Dict map =
        new Value.Dict(
            "u",
            "au",
            List.of(
                entry(0, 0, 3), // Unix: Localhost, Credentials
                entry(2, 0, 1, 2), // IPv4: Localhost, Port, and Netmask that nobody has
                entry(9, 0))); // a type of a later specification
    SocketAbilities abilities = SocketAbilities.of(map);
    assertThat(abilities.kinds())
        .containsExactlyInAnyOrder(
            new SocketKind(AddressType.UNIX, AccessControl.LOCALHOST),
            new SocketKind(AddressType.UNIX, AccessControl.CREDENTIALS),
            new SocketKind(AddressType.IPV4, AccessControl.LOCALHOST),
            new SocketKind(AddressType.IPV4, AccessControl.PORT));
    assertThat(abilities.toValue())
        .isEqualTo(new Value.Dict("u", "au", List.of(entry(0, 0, 3), entry(2, 0, 1))));
  }

  @Test
  void forFilesEveryAddressTypeIsOfferedWithLocalhost() {
    assertThat(SocketAbilities.LOCALHOST_ONLY.toValue())
        .isEqualTo(
            new Value.Dict("u", "au", List.of(entry(0, 0), entry(1, 0), entry(2, 0), entry(3, 0))));
  }

  private static Value.Entry entry(int type, int... accesses) {
    List<Value> codes =
        java.util.Arrays.stream(accesses).mapToObj(a -> (Value) Value.u(a)).toList();
    return new Value.Entry(Value.u(type), new Value.Array("u", codes));
  }

  private static SocketKind kindOf(long type, long access) {
    try {
      return SocketKind.of(type, access);
    } catch (TelepathyException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertError(long type, long access, String name) {
    assertThatThrownBy(() -> SocketKind.of(type, access))
        .isInstanceOfSatisfying(
            TelepathyException.class, e -> assertThat(e.errorName()).endsWith(".Error." + name));
  }
}
