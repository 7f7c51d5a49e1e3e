package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

final class IncomingTubesTest {
  @Test
  void whatIsOfferedForTheServiceComesOnce() throws Exception {
    IncomingTubes tubes = new IncomingTubes("rfb", null);
    offer(tubes, "/a", "http", "bob", false);
    offer(tubes, "/b", "rfb", "bob", true);
    offer(tubes, "/c", "rfb", "bob", false);
    offer(tubes, "/c", "rfb", "bob", false);
    offer(tubes, "/d", "rfb", "carol", false);
    assertThat(tubes.next().path()).isEqualTo("/c");
    IncomingTubes.Offer second = tubes.next();
    assertThat(second.path()).isEqualTo("/d");
    assertThat(second.contact()).isEqualTo("carol");
    tubes.lost("interrupted");
    assertThatThrownBy(tubes::next).isInstanceOf(TransferException.class).hasMessage("interrupted");
  }

  @Test
  void onlyTheContactsOwnIfOneIsNamed() throws Exception {
    IncomingTubes tubes = new IncomingTubes("rfb", "carol");
    offer(tubes, "/a", "rfb", "bob", false);
    offer(tubes, "/b", "rfb", "carol", false);
    assertThat(tubes.next().path()).isEqualTo("/b");
  }

  @Test
  void whoeverOffersWithoutEndFillsNothing() throws Exception {
    IncomingTubes tubes = new IncomingTubes("rfb", null);
    for (int i = 0; i < 2000; i++) {
      offer(tubes, "/" + i, "rfb", "bob", false);
    }
    for (int i = 0; i < 1024; i++) {
      assertThat(tubes.next().path()).isEqualTo("/" + i);
    }
    tubes.lost("the end");
    assertThatThrownBy(tubes::next).hasMessage("the end");
  }

  private static void offer(
      IncomingTubes tubes, String path, String service, String from, boolean requested) {
    Map<String, Value> properties = new LinkedHashMap<>();
    properties.put(Names.CHANNEL + ".ChannelType", Value.of(Names.STREAM_TUBE));
    properties.put(Names.CHANNEL + ".Requested", Value.of(requested));
    properties.put(Names.CHANNEL + ".InitiatorID", Value.of(from));
    properties.put(Names.STREAM_TUBE + ".Service", Value.of(service));
    tubes.offered(path, new Properties(Value.dict(properties), ""));
  }
}
