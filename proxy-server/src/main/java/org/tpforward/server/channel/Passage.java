package org.tpforward.server.channel;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Relay;
import org.tpforward.server.audit.Audit;
import org.tpforward.server.bus.Grant;

/**
 * One channel of a visit: holds its place among the user's channels from the beginning, and writes
 * its audit line at the end.
 */
final class Passage {
  private final Audit audit;
  private final Visit visit;
  private final String type;
  private final String target;
  private final long begun = System.nanoTime();

  /** The caller has {@link User#takeChannel taken} a channel; this gives it back. */
  Passage(Audit audit, Visit visit, String type, String target) {
    this.audit = audit;
    this.visit = visit;
    this.type = type;
    this.target = target;
  }

  /** It came to nothing. */
  void refused(String why) {
    visit.user().giveChannelBack();
    refused(audit, visit, type, target, why);
  }

  /** Tells of what was refused before it took any place. */
  static void refused(Audit audit, Visit visit, String type, String target, String why) {
    audit.metrics().refused.increment();
    audit.write(
        visit
            .describe(audit.event("refused"))
            .with("type", type)
            .with("target", target)
            .with("why", why));
  }

  /**
   * Carries a bus client's connection. Blocks until its end.
   *
   * @param bus says why it ended
   */
  void serve(Duplex channel, Function<Duplex, String> bus) {
    CountedDuplex client = new CountedDuplex(channel);
    audit.metrics().channels.increment();
    audit.metrics().busChannelsNow.increment();
    String why = "an error of this server";
    try {
      why = bus.apply(client);
    } finally {
      audit.metrics().busChannelsNow.decrement();
      ended(client.bytesRead(), client.bytesWritten(), "bus", why);
    }
  }

  /**
   * Pumps until the end, on threads of its own. Both streams belong to it.
   *
   * @param grant by which it may, and so who is at the far end
   */
  void relay(Duplex client, Duplex far, Grant grant) {
    String peer = grant.owner() + " " + grant.channel() + " " + grant.access();
    audit.metrics().channels.increment();
    audit.metrics().socketChannelsNow.increment();
    AtomicReference<@Nullable Relay> started = new AtomicReference<>();
    AtomicInteger steps = new AtomicInteger();
    // It may be over before start() returns: the second to come here writes the line.
    Runnable step =
        () -> {
          if (steps.incrementAndGet() == 2) {
            Relay relay = Objects.requireNonNull(started.get());
            audit.metrics().socketChannelsNow.decrement();
            String reason = relay.reason();
            ended(
                relay.bytesFromNear(),
                relay.bytesFromFar(),
                peer,
                reason == null ? "both sides ended" : reason);
          }
        };
    started.set(Relay.start(type + " " + target, client, far, step::run));
    step.run();
  }

  private void ended(long fromClient, long toClient, String peer, String why) {
    visit.user().giveChannelBack();
    visit.count(fromClient, toClient);
    audit.metrics().bytesFromClients.add(fromClient);
    audit.metrics().bytesToClients.add(toClient);
    audit.write(
        visit
            .describe(audit.event("channel"))
            .with("type", type)
            .with("target", target)
            .with("peer", peer)
            .with("fromClient", fromClient)
            .with("toClient", toClient)
            .with("ms", (System.nanoTime() - begun) / 1_000_000)
            .with("end", why));
  }
}
