package org.tpforward.agent.forward;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.tpforward.telepathy.Crossing;

/** Which forwards and offerings there are, and whose. Thread-safe. */
final class Registry {
  private final Set<Forward> forwards = ConcurrentHashMap.newKeySet();
  private final Set<Offering> offerings = ConcurrentHashMap.newKeySet();

  void add(Forward forward) {
    forwards.add(forward);
  }

  void add(Offering offering) {
    offerings.add(offering);
  }

  void remove(Forward forward) {
    forwards.remove(forward);
  }

  void remove(Offering offering) {
    offerings.remove(offering);
  }

  List<Forward> forwards() {
    return List.copyOf(forwards);
  }

  List<Offering> offerings() {
    return List.copyOf(offerings);
  }

  Optional<Offering> offered(ChannelKey channel, long id) {
    return offerings.stream()
        .filter(o -> o.spec().channel().equals(channel) && o.spec().id() == id)
        .findFirst();
  }

  Optional<Forward> serving(ChannelKey channel, long id, Crossing.Use use) {
    return forwards.stream()
        .filter(f ->
            f.spec().channel().equals(channel)
                && f.spec().id() == id
                && f.spec().use() == use
                && f.isServing())
        .findFirst();
  }

  void forwards(Predicate<Forward> which, Consumer<Forward> action) {
    forwards.stream().filter(which).forEach(action);
  }

  void offerings(Predicate<Offering> which, Consumer<Offering> action) {
    offerings.stream().filter(which).forEach(action);
  }

  /** The incoming files of one channel. */
  void transfers(ChannelKey channel, Consumer<TransferState> action) {
    transfers(f -> f.spec().channel().equals(channel), action);
  }

  /** The incoming files among those forwards. */
  void transfers(Predicate<Forward> which, Consumer<TransferState> action) {
    forwards(
        which,
        f -> {
          TransferState transfer = f.transfer();
          if (transfer != null) {
            action.accept(transfer);
          }
        });
  }

  /** What all open streams have together. */
  long ofOpenStreams(ToLongFunction<Stream> count) {
    return java.util.stream.Stream.concat(
            forwards.stream().map(Forward::streams), offerings.stream().map(Offering::streams))
        .flatMap(s -> s.open().stream())
        .mapToLong(count)
        .sum();
  }
}
