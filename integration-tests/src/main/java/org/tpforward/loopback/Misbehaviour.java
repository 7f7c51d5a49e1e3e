package org.tpforward.loopback;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;
import org.tpforward.telepathy.SocketKind;

/**
 * What the CM does wrong on request, through the interface {@code org.tpforward.Loopback.Test} on
 * its object: SetMisbehaviour(a{sv}), Reset(), Resume(), Vanish(s). It holds for all calls and
 * transfers from then on. Thread-safe.
 *
 * <p>Keys, of which each SetMisbehaviour gives all that hold:
 *
 * <ul>
 *   <li>{@code delay-reply} (u, milliseconds): AcceptFile, ProvideFile, Accept and Offer are
 *       answered so much later
 *   <li>{@code refuse-accept} (b): AcceptFile and Accept fail with NotAvailable
 *   <li>{@code answer} (any type): AcceptFile, ProvideFile and Accept are answered with this in
 *       place of the address
 *   <li>{@code reply-twice} (b): they are answered twice
 *   <li>{@code vanish-at-accept} (s): {@code exit} or {@code release}, instead of an answer
 *   <li>{@code pause-after} (t, bytes): a transfer stops there until Resume
 *   <li>{@code cut-after} (t, bytes): the sockets of a transfer are closed there, and no signal
 *       says so
 *   <li>{@code cancel-after} (t, bytes): the transfer is cancelled there by the other side
 *   <li>{@code close-after} (t, bytes): both channels are closed there
 *   <li>{@code vanish-after} (t, bytes): the process ends there, with status 1
 *   <li>{@code tube-kind} (s, {@code TYPE:ACCESS} in the specification's numbers): stream tubes
 *       have this one kind of socket only
 * </ul>
 */
final class Misbehaviour {
  static final String INTERFACE = "org.tpforward.Loopback.Test";

  private static final Set<String> KEYS =
      Set.of(
          "delay-reply",
          "refuse-accept",
          "answer",
          "reply-twice",
          "vanish-at-accept",
          "pause-after",
          "cut-after",
          "cancel-after",
          "close-after",
          "vanish-after",
          "tube-kind");

  private static final List<String> MARKS =
      List.of("vanish-after", "cut-after", "cancel-after", "close-after", "pause-after");

  /** What can be done to a transfer in its middle. */
  interface Victim {
    void cut();

    void cancelByPeer();

    void closeChannels();
  }

  private final Bus bus;
  private Map<?, ?> wanted = Map.of();
  private boolean resumed;

  Misbehaviour(Bus bus) {
    this.bus = bus;
  }

  void addTo(BusObject object) {
    object.method(INTERFACE, "SetMisbehaviour", "a{sv}", "", this::set);
    object.method(INTERFACE, "Reset", "", "", this::reset);
    object.method(INTERFACE, "Resume", "", "", this::resume);
    object.method(INTERFACE, "Vanish", "s", "", this::vanish);
  }

  private void set(Call call) throws Fault {
    if (!(call.arguments().get(0) instanceof Map<?, ?> map)) {
      throw Fault.invalidArgument("no map");
    }
    for (Object key : map.keySet()) {
      if (!KEYS.contains(key.toString())) {
        throw Fault.invalidArgument("no misbehaviour is called " + key);
      }
    }
    synchronized (this) {
      wanted = Map.copyOf(map);
      resumed = false;
      notifyAll();
    }
    call.reply("");
  }

  private void reset(Call call) {
    synchronized (this) {
      wanted = Map.of();
      resumed = true;
      notifyAll();
    }
    call.reply("");
  }

  private void resume(Call call) {
    synchronized (this) {
      resumed = true;
      notifyAll();
    }
    call.reply("");
  }

  private void vanish(Call call) throws Fault {
    vanish(call.string(0));
    call.reply("");
  }

  private synchronized @Nullable Object get(String key) {
    return wanted.get(key);
  }

  private boolean is(String key) {
    return Boolean.TRUE.equals(Values.unwrap(get(key)));
  }

  private long mark(String key) {
    return Values.unwrap(get(key)) instanceof Number number ? number.longValue() : Long.MAX_VALUE;
  }

  /** Leaves the bus: {@code exit} ends the process, {@code release} gives all names up. */
  void vanish(String how) throws Fault {
    switch (how) {
      case "exit" -> Runtime.getRuntime().halt(1);
      case "release" -> bus.releaseAllNames();
      default -> throw Fault.invalidArgument("exit or release");
    }
  }

  /** The kinds of socket that stream tubes have instead of {@code usual}. */
  List<SocketKind> tubeKinds(List<SocketKind> usual) {
    if (!(Values.unwrap(get("tube-kind")) instanceof String only)) {
      return usual;
    }
    return usual.stream()
        .filter(kind -> only.equals(kind.type().code() + ":" + kind.access().code()))
        .toList();
  }

  /** Called before an accept is looked at. */
  void beforeAccept() throws Fault {
    if (is("refuse-accept")) {
      throw Fault.notAvailable("refused because a test wants it so");
    }
    if (Values.unwrap(get("vanish-at-accept")) instanceof String how) {
      vanish(how);
    }
  }

  /** Answers a call that asked for an address. */
  void answer(Call call, Variant<?> address) {
    Variant<?> answer = get("answer") instanceof Variant<?> other ? other : address;
    reply(call, "v", answer);
  }

  /** Answers a call that asked for a D-Bus address. */
  void answerText(Call call, String address) {
    String answer = Values.unwrap(get("answer")) instanceof String other ? other : address;
    reply(call, "s", answer);
  }

  /** Answers a call, perhaps late, perhaps twice. */
  void reply(Call call, String signature, Object... values) {
    long delay = mark("delay-reply");
    boolean twice = is("reply-twice");
    Runnable reply =
        () -> {
          call.reply(signature, values);
          if (twice) {
            call.replyAgain(signature, values);
          }
        };
    if (delay == Long.MAX_VALUE) {
      reply.run();
      return;
    }
    Thread.ofPlatform()
        .daemon()
        .name("loopback-late")
        .start(() -> {
          try {
            TimeUnit.MILLISECONDS.sleep(delay);
            reply.run();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  /** Whether something happens after exactly so many bytes, so that the count should be told. */
  boolean isDue(long bytes) {
    return MARKS.stream().anyMatch(key -> mark(key) == bytes);
  }

  /**
   * Called in a transfer after so many bytes; does what is due.
   *
   * @return how many more bytes may pass before it must be called again
   * @throws IOException if the transfer has ended here
   */
  long passed(long bytes, Victim victim) throws IOException {
    if (bytes >= mark("vanish-after")) {
      Runtime.getRuntime().halt(1);
    }
    if (bytes >= mark("cut-after")) {
      victim.cut();
      throw new IOException("cut after " + bytes + " bytes");
    }
    if (bytes >= mark("cancel-after")) {
      victim.cancelByPeer();
      throw new IOException("cancelled after " + bytes + " bytes");
    }
    if (bytes >= mark("close-after")) {
      victim.closeChannels();
      throw new IOException("closed after " + bytes + " bytes");
    }
    if (bytes >= mark("pause-after")) {
      pause();
    }
    long next = Long.MAX_VALUE;
    for (String key : MARKS) {
      long mark = mark(key);
      if (mark > bytes) {
        next = Math.min(next, mark - bytes);
      }
    }
    return next;
  }

  private synchronized void pause() throws IOException {
    try {
      while (!resumed && wanted.containsKey("pause-after")) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
