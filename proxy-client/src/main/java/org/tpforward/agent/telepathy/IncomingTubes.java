package org.tpforward.agent.telepathy;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Signal;
import org.tpforward.telepathy.Names;

/** The stream tubes for one service that contacts offer. Any thread may wait for the next. */
final class IncomingTubes implements Watch {
  /** Beyond that, offers are passed over: a contact may make them without end. */
  private static final int MAX_SEEN = 1024;

  private final String service;
  private final @Nullable String contact;
  private final Set<String> seen = new HashSet<>(); // guarded by this
  private final Queue<Offer> waiting = new ArrayDeque<>(); // guarded by this
  private @Nullable String lost; // guarded by this

  /**
   * A channel that may be accepted.
   *
   * @param path of the channel
   * @param properties those that do not change, by their full names
   */
  record Offer(String path, Properties properties) {
    String contact() {
      return properties.text(Names.CHANNEL + ".InitiatorID");
    }
  }

  /**
   * @param contact whose tubes, null: anybody's
   */
  IncomingTubes(String service, @Nullable String contact) {
    this.service = service;
    this.contact = contact;
  }

  /** A channel is there; passes over those of another kind, and those it was told of before. */
  synchronized void offered(String path, Properties properties) {
    Offer offer = new Offer(path, properties);
    if (properties.text(Names.CHANNEL + ".ChannelType").equals(Names.STREAM_TUBE)
        && !properties.isTrue(Names.CHANNEL + ".Requested")
        && properties.text(Names.STREAM_TUBE + ".Service").equals(service)
        && (contact == null || contact.equals(offer.contact()))
        && seen.size() < MAX_SEEN
        && seen.add(path)) {
      waiting.add(offer);
      notifyAll();
    }
  }

  @Override
  public void on(Signal signal) {}

  @Override
  public synchronized void lost(String why) {
    if (lost == null) {
      lost = why;
    }
    notifyAll();
  }

  /**
   * Waits for the next offer, for as long as it takes.
   *
   * @throws TransferException if none will come
   */
  synchronized Offer next() throws TransferException, InterruptedException {
    while (true) {
      if (lost != null) {
        throw new TransferException(lost);
      }
      Offer offer = waiting.poll();
      if (offer != null) {
        return offer;
      }
      wait();
    }
  }
}
