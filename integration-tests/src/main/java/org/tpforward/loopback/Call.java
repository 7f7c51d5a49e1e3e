package org.tpforward.loopback;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.freedesktop.dbus.messages.MethodCall;
import org.jspecify.annotations.Nullable;

/**
 * A method call that waits for its reply, which may come later and from any thread.
 *
 * @param arguments as dbus-java reads them: Number, String, Variant, List, Map, Object[]
 */
record Call(Bus bus, MethodCall message, List<Object> arguments, AtomicBoolean answered) {
  /** Answers; signals sent before from the same thread stand before it. Only the first counts. */
  void reply(String signature, Object... values) {
    if (answered.compareAndSet(false, true)) {
      bus.reply(message, signature, values);
    }
  }

  /** Answers once more, as no service may: for misbehaviour. */
  void replyAgain(String signature, Object... values) {
    bus.reply(message, signature, values);
  }

  /** Answers with an error. */
  void fail(Fault fault) {
    if (answered.compareAndSet(false, true)) {
      bus.fail(message, fault.errorName(), fault.text());
    }
  }

  long number(int index) {
    return ((Number) arguments.get(index)).longValue();
  }

  String string(int index) {
    return arguments.get(index).toString();
  }

  /** The caller's unique name. */
  @Nullable String sender() {
    return message.getSource();
  }
}
