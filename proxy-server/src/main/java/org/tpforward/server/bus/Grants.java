package org.tpforward.server.bus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tpforward.socket.Endpoint;

/**
 * The grants of one user, by address, and what ends them. For any number of threads.
 *
 * <p>A call that may lead to a grant is a {@link Claim} from the moment on at which it is sent to
 * the CM: a channel that ends before the reply is read does not come to life again by it.
 */
final class Grants {
  /** One user's; hundreds of channels at once are many. */
  static final int MAX = 4096;

  /** In the place of a tube's id, where the channel is the tube. */
  static final long NO_TUBE = -1;

  /** Who listens. */
  enum Listener {
    CM,
    CLIENT
  }

  /** Tubes of one channel that may end while a call is under way, before all count as ended. */
  private static final int MAX_ENDED = 256;

  private record Channel(String owner, String path) {}

  private record Tube(String owner, long id) {}

  /** A call that is under way to a channel. */
  static final class Claim {
    private final String path;
    private final long tube;

    // Guarded by the Grants.
    private final Set<String> endedBy = new HashSet<>();
    private final Set<Tube> endedTubes = new HashSet<>();

    private Claim(String path, long tube) {
      this.path = path;
      this.tube = tube;
    }

    /** The object that is called. */
    String path() {
      return path;
    }
  }

  /** A grant that stands, or has ended. */
  static final class Entry {
    private final Grant grant;
    private final Listener listener;
    private long tube; // guarded by the Grants

    private Entry(Grant grant, Listener listener, long tube) {
      this.grant = grant;
      this.listener = listener;
      this.tube = tube;
    }
  }

  private final Predicate<String> isGone;

  @GuardedBy("this")
  private final Map<Endpoint, List<Entry>> byEndpoint = new HashMap<>();

  @GuardedBy("this")
  private final Map<Channel, List<Entry>> byChannel = new HashMap<>();

  @GuardedBy("this")
  private final Map<String, List<Claim>> claims = new HashMap<>();

  @GuardedBy("this")
  private int size;

  @GuardedBy("this")
  private boolean closed;

  /**
   * @param isGone whether a unique name is not on the bus any more; says so before {@link #left} is
   *     called
   */
  Grants(Predicate<String> isGone) {
    this.isGone = isGone;
  }

  /** A call goes out to an object. Must be released. */
  synchronized Claim claim(String path, long tube) {
    Claim claim = new Claim(path, tube);
    claims.computeIfAbsent(path, p -> new ArrayList<>(1)).add(claim);
    return claim;
  }

  /** The call has been dealt with. */
  synchronized void release(Claim claim) {
    List<Claim> same = claims.get(claim.path);
    if (same != null && same.remove(claim) && same.isEmpty()) {
      claims.remove(claim.path);
    }
  }

  /** How many calls are under way. */
  synchronized int claimed() {
    return claims.values().stream().mapToInt(Collection::size).sum();
  }

  /** How many grants stand. */
  synchronized int size() {
    return size;
  }

  /** Grants, unless the channel has ended meanwhile or there are too many; then null. */
  synchronized @Nullable Entry grant(Claim claim, Grant grant, Listener listener) {
    Channel channel = new Channel(grant.owner(), grant.channel());
    if (closed || size >= MAX || claim.endedBy.contains(grant.owner())) {
      return null;
    }
    for (Entry known : byEndpoint.getOrDefault(grant.endpoint(), List.of())) {
      if (listener == Listener.CM && known.grant.equals(grant) && known.tube == claim.tube) {
        return known; // Asked for again.
      }
    }
    Entry entry = new Entry(grant, listener, claim.tube);
    byEndpoint.computeIfAbsent(grant.endpoint(), e -> new ArrayList<>(1)).add(entry);
    byChannel.computeIfAbsent(channel, c -> new ArrayList<>(1)).add(entry);
    size++;
    if (isGone.test(grant.owner())) {
      remove(entry);
      return null;
    }
    notifyAll();
    return entry;
  }

  /** The reply has told which of the channel's tubes it is; perhaps one that has ended already. */
  synchronized void tube(Claim claim, Entry entry, long id) {
    entry.tube = id;
    if (claim.endedTubes.contains(new Tube(entry.grant.owner(), id))) {
      remove(entry);
    }
  }

  /** Takes one back. */
  synchronized void remove(Entry entry) {
    Channel channel = new Channel(entry.grant.owner(), entry.grant.channel());
    if (remove(byChannel, channel, entry)) {
      remove(byEndpoint, entry.grant.endpoint(), entry);
      size--;
    }
  }

  private static <K> boolean remove(Map<K, List<Entry>> map, K key, Entry entry) {
    List<Entry> entries = map.get(key);
    if (entries == null || !entries.remove(entry)) {
      return false;
    }
    if (entries.isEmpty()) {
      map.remove(key);
    }
    return true;
  }

  /** What stands at that address now. */
  synchronized List<Grant> at(Endpoint endpoint, Listener listener) {
    return byEndpoint.getOrDefault(endpoint, List.of()).stream()
        .filter(e -> e.listener == listener)
        .map(e -> e.grant)
        .toList();
  }

  /**
   * Waits until something stands at that address.
   *
   * @param goesOn asked, each time something changes, whether to wait on
   * @return false if it does not go on
   */
  synchronized boolean await(Endpoint endpoint, Listener listener, BooleanSupplier goesOn)
      throws InterruptedException {
    while (goesOn.getAsBoolean() && !closed) {
      if (!at(endpoint, listener).isEmpty()) {
        return true;
      }
      wait();
    }
    return false;
  }

  /** Nothing of a client listens there any more. */
  synchronized void endAt(Endpoint endpoint) {
    for (Entry entry : List.copyOf(byEndpoint.getOrDefault(endpoint, List.of()))) {
      if (entry.listener == Listener.CLIENT) {
        remove(entry);
      }
    }
    notifyAll();
  }

  /** The channel has closed. */
  synchronized void closed(String owner, String path) {
    for (Claim claim : claims.getOrDefault(path, List.of())) {
      claim.endedBy.add(owner);
    }
    for (Entry entry : List.copyOf(byChannel.getOrDefault(new Channel(owner, path), List.of()))) {
      remove(entry);
    }
  }

  /** One tube of the channel has closed. */
  synchronized void tubeClosed(String owner, String path, long id) {
    for (Claim claim : claims.getOrDefault(path, List.of())) {
      if (claim.tube == id || claim.endedTubes.size() >= MAX_ENDED) {
        claim.endedBy.add(owner);
      } else {
        claim.endedTubes.add(new Tube(owner, id));
      }
    }
    for (Entry entry : List.copyOf(byChannel.getOrDefault(new Channel(owner, path), List.of()))) {
      if (entry.tube == id) {
        remove(entry);
      }
    }
  }

  /** The CM has left the bus. */
  synchronized void left(String owner) {
    endAll(owner, path -> true);
  }

  /**
   * A Connection has gone, and all that belongs to it.
   *
   * @param prefix what its objects' paths begin with
   */
  synchronized void left(String owner, String prefix) {
    for (Map.Entry<String, List<Claim>> claimed : claims.entrySet()) {
      if (claimed.getKey().startsWith(prefix)) {
        claimed.getValue().forEach(c -> c.endedBy.add(owner));
      }
    }
    endAll(owner, path -> path.startsWith(prefix));
  }

  @GuardedBy("this")
  private void endAll(String owner, Predicate<String> path) {
    for (Channel channel : List.copyOf(byChannel.keySet())) {
      if (channel.owner.equals(owner) && path.test(channel.path)) {
        List.copyOf(byChannel.getOrDefault(channel, List.of())).forEach(this::remove);
      }
    }
  }

  /** Ends all, and whatever comes. */
  synchronized void close() {
    closed = true;
    byEndpoint.clear();
    byChannel.clear();
    size = 0;
    notifyAll();
  }
}
