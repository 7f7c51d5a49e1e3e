package org.tpforward.server.bus;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Header;

/** Calls to one client that it may answer, each once. Thread-safe. */
final class Unanswered {
  /** Further ones do not reach the client. */
  static final int MAX = 4096;

  private record Call(String sender, long serial) {}

  private final Set<Call> calls = ConcurrentHashMap.newKeySet();

  /** Remembers a call that wants a reply; false if there is no room. */
  boolean add(Header call, String sender) {
    if (call.noReplyExpected()) {
      return true;
    }
    if (calls.size() >= MAX) {
      return false;
    }
    calls.add(new Call(sender, call.serial()));
    return true;
  }

  /** Whether there was such a call. */
  boolean remove(@Nullable String caller, long serial) {
    return caller != null && calls.remove(new Call(caller, serial));
  }
}
