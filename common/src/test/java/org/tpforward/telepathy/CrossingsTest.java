package org.tpforward.telepathy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The table of crossings. */
class CrossingsTest {
  @Test
  void aCallIsFoundByInterfaceMemberAndSignature() {
    assertThat(Crossings.of(Names.FILE_TRANSFER, "AcceptFile", "uuvt"))
        .singleElement()
        .isInstanceOfSatisfying(
            Crossing.Accept.class, a -> assertThat(a.use()).isEqualTo(Crossing.Use.INCOMING_FILE));
    assertThat(Crossings.of(Names.FILE_TRANSFER, "AcceptFile", "uuv")).isEmpty();
    assertThat(Crossings.of("com.example.Other", "AcceptFile", "uuvt")).isEmpty();
    assertThat(Crossings.of(Names.FILE_TRANSFER, null, "uuvt")).isEmpty();
  }

  @Test
  void aCallWithoutInterfaceIsStillUnambiguous() {
    // The interface is optional in a METHOD_CALL (D-Bus specification, "Header Fields").
    for (Crossing crossing : Crossings.TABLE) {
      if (crossing instanceof Crossing.AbilityProperty
          || crossing instanceof Crossing.NestedProperty) {
        continue;
      }
      assertThat(Crossings.of(null, crossing.member(), crossing.signature()))
          .contains(crossing)
          .allMatch(c -> c.interfaceName().equals(crossing.interfaceName()));
    }
  }

  @Test
  void createChannelCrossesInItsCallAndInItsReply() {
    assertThat(Crossings.of(Names.REQUESTS, "CreateChannel", "a{sv}"))
        .extracting(c -> ((Crossing.Nested) c).in())
        .containsExactlyInAnyOrder(Crossing.In.CALL, Crossing.In.REPLY);
  }

  @Test
  void abilitiesAreFoundUnderTheirQualifiedNames() {
    assertThat(
            Crossings.ability(
                "org.freedesktop.Telepathy.Channel.Type.FileTransfer.AvailableSocketTypes"))
        .isNotNull();
    assertThat(Crossings.ability("org.freedesktop.Telepathy.Channel.Type.FileTransfer.URI"))
        .isNull();
    assertThat(Crossings.hasProperties(Names.DBUS_TUBE)).isTrue();
    assertThat(Crossings.hasProperties(Names.REQUESTS)).isTrue();
    assertThat(Crossings.hasProperties(Names.CHANNEL)).isFalse();
    assertThat(Crossings.isNestedProperty(Names.REQUESTS, "Channels")).isTrue();
    assertThat(Crossings.isNestedProperty(Names.REQUESTS, "RequestableChannelClasses")).isFalse();
  }
}
