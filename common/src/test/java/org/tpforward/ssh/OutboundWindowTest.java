package org.tpforward.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OutboundWindowTest {
  private final OutboundWindow window = new OutboundWindow();
  private final List<String> events = new ArrayList<>();

  @Test
  void letsSendWhatThePeerAllows() throws Exception {
    window.grow(5);
    assertThat(window.beginSending(3)).isEqualTo(3);
    window.sent();
    assertThat(window.beginSending(3)).isEqualTo(2);
    window.sent();
    CompletableFuture<Integer> next = Bytes.async(() -> window.beginSending(3));
    window.grow(1);
    assertThat(next.join()).isEqualTo(1);
  }

  @Test
  void neverGrowsAboveWhatTheProtocolCanSay() throws Exception {
    window.grow(0xFFFF_FFFFL);
    window.grow(0xFFFF_FFFFL);
    assertThat(window.beginSending(Integer.MAX_VALUE)).isEqualTo(Integer.MAX_VALUE);
    window.sent();
    assertThat(window.beginSending(Integer.MAX_VALUE)).isEqualTo(Integer.MAX_VALUE);
    window.sent();
    assertThat(window.beginSending(Integer.MAX_VALUE)).isEqualTo(1);
  }

  @Test
  void closingWaitsForThePacketThatIsBeingSentAndNobodyWaitsForIt() throws Exception {
    window.grow(9);
    window.beginSending(1);
    window.fail(new IOException("closed"), () -> events.add("CLOSE"));
    window.fail(new IOException("closed again"), () -> events.add("ACK"));
    assertThat(events).isEmpty();
    window.sent();
    assertThat(events).containsExactly("CLOSE", "ACK");
    assertThatThrownBy(() -> window.beginSending(1)).hasMessage("closed");
  }

  @Test
  void closesAtOnceWhenNothingIsBeingSent() {
    window.fail(new IOException("closed"), () -> events.add("CLOSE"));
    assertThat(events).containsExactly("CLOSE");
  }

  @Test
  void failureReleasesWhoWaits() {
    CompletableFuture<Integer> sender = Bytes.async(() -> window.beginSending(1));
    window.fail(new IOException("lost"), () -> {});
    assertThatThrownBy(sender::join).hasRootCauseMessage("lost");
  }

  @Test
  void isShutDownOnce() {
    assertThat(window.shutdown()).isTrue();
    assertThat(window.shutdown()).isFalse();
    window.grow(1);
    assertThatThrownBy(() -> window.beginSending(1)).isInstanceOf(IOException.class);
  }
}
