package org.tpforward.server.channel;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.socket.Endpoint;

/** Who is logged in. For any number of threads. */
final class Users {
  private record Key(String name, Endpoint bus) {}

  private final Limits limits;
  private final ChannelPool allChannels;

  @GuardedBy("this")
  private final Map<Key, User> users = new HashMap<>();

  Users(Limits limits) {
    this.limits = limits;
    this.allChannels = new ChannelPool(limits.allChannels());
  }

  /** One login more; null if there are too many of that user's. {@link #leave} ends it. */
  synchronized @Nullable User enter(String name, Endpoint bus) {
    User user =
        users.computeIfAbsent(new Key(name, bus), key -> new User(bus, limits, allChannels));
    if (user.logins >= limits.logins()) {
      return null;
    }
    user.logins++;
    return user;
  }

  void leave(String name, User user) {
    synchronized (this) {
      if (--user.logins > 0) {
        return;
      }
      users.remove(new Key(name, user.bus()), user);
    }
    user.leave();
  }
}
