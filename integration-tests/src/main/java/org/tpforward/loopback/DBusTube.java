package org.tpforward.loopback;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageWriter;

/**
 * The bus that a D-Bus tube is. Between contacts the messages of one end come out at the other as
 * they are. In a room each member has a name; what one sends reaches all others, or the one that it
 * is addressed to, with the sender's name in it. Thread-safe.
 */
final class DBusTube {
  private static final Logger LOG = LoggerFactory.getLogger(DBusTube.class);
  private static final int LARGEST_BODY = 16 << 20;

  /** One end on the Telepathy side. */
  interface End {
    long contact();

    /** Tells who is in the room now. */
    void namesChanged(Map<Long, String> added, List<Long> removed);
  }

  private static final class Member {
    private final String name;
    private @Nullable SocketChannel channel;
    private @Nullable MessageWriter writer;

    private Member(String name) {
      this.name = name;
    }
  }

  private final boolean room;
  private final Map<End, Member> members = new LinkedHashMap<>();

  DBusTube(boolean room) {
    this.room = room;
  }

  /** Adds an end; in a room all are told its name. */
  void join(End end) {
    List<End> told;
    Map<Long, String> added;
    Map<Long, String> present = new LinkedHashMap<>();
    synchronized (this) {
      for (Map.Entry<End, Member> member : members.entrySet()) {
        present.put(member.getKey().contact(), member.getValue().name);
      }
      told = List.copyOf(members.keySet());
      Member member = new Member(":2." + end.contact());
      members.put(end, member);
      added = Map.of(end.contact(), member.name);
    }
    if (room) {
      told.forEach(other -> other.namesChanged(added, List.of()));
      present.putAll(added);
      end.namesChanged(present, List.of());
    }
  }

  /** The names in a room, by handle; between contacts there are none. */
  synchronized Map<Long, String> names() {
    Map<Long, String> names = new LinkedHashMap<>();
    if (room) {
      members.forEach((end, member) -> names.put(end.contact(), member.name));
    }
    return names;
  }

  /** Passes an end's messages on, in a thread of its own, until it ends. */
  void connected(End end, SocketChannel channel) {
    synchronized (this) {
      Member member = members.get(end);
      if (member == null) {
        CmListener.closeQuietly(channel);
        return;
      }
      member.channel = channel;
      member.writer = new MessageWriter(channel);
      notifyAll();
    }
    Thread.ofPlatform().daemon().name("loopback-dbus-tube").start(() -> read(end, channel));
  }

  private void read(End end, SocketChannel channel) {
    try {
      MessageReader reader = new MessageReader(channel);
      while (true) {
        Header header = reader.next();
        if (header == null) {
          break;
        }
        byte[] body = reader.readBody(LARGEST_BODY);
        pass(end, header, body);
      }
    } catch (IOException e) {
      LOG.debug("a D-Bus tube's client", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      ended(end);
    }
  }

  private void pass(End from, Header header, byte[] body) throws IOException, InterruptedException {
    Map<End, MessageWriter> to = new LinkedHashMap<>();
    Header passed = header;
    synchronized (this) {
      Member sender = members.get(from);
      if (sender == null) {
        throw new IOException("the tube is gone");
      }
      if (room) {
        passed = withSender(header, sender.name, body);
      } else {
        awaitOther(from);
      }
      for (Map.Entry<End, Member> member : members.entrySet()) {
        String destination = header.destination();
        MessageWriter writer = member.getValue().writer;
        boolean meant = !room || destination == null || destination.equals(member.getValue().name);
        if (!member.getKey().equals(from) && writer != null && meant) {
          to.put(member.getKey(), writer);
        }
      }
    }
    for (Map.Entry<End, MessageWriter> receiver : to.entrySet()) {
      MessageWriter writer = receiver.getValue();
      try {
        synchronized (writer) {
          writer.write(passed, body);
          writer.flush();
        }
      } catch (IOException e) {
        // That one has gone; it is neither the sender's fault nor the others'.
        LOG.debug("a D-Bus tube's receiver", e);
        ended(receiver.getKey());
      }
    }
  }

  /** Between contacts nothing is lost: the first messages wait for the other end's client. */
  private void awaitOther(End from) throws InterruptedException {
    while (members.containsKey(from)
        && members.entrySet().stream()
            .noneMatch(m -> !m.getKey().equals(from) && m.getValue().writer != null)) {
      wait();
    }
  }

  private static Header withSender(Header header, String sender, byte[] body) {
    return Header.builder(header.type())
        .order(header.order())
        .flags(header.flags())
        .serial(header.serial())
        .replySerial(header.replySerial())
        .path(header.path())
        .interfaceName(header.interfaceName())
        .member(header.member())
        .errorName(header.errorName())
        .destination(header.destination())
        .sender(sender)
        .signature(header.signature())
        .build(body);
  }

  /** A client has ended: between contacts that ends the other one too. */
  private void ended(End end) {
    List<SocketChannel> closing = new ArrayList<>();
    synchronized (this) {
      for (Map.Entry<End, Member> entry : members.entrySet()) {
        Member member = entry.getValue();
        if (member.channel != null && (!room || entry.getKey().equals(end))) {
          closing.add(member.channel);
          member.channel = null;
          member.writer = null;
        }
      }
    }
    closing.forEach(CmListener::closeQuietly);
  }

  /** An end's channel is closed. */
  void leave(End end) {
    List<End> told;
    Member gone;
    synchronized (this) {
      gone = members.remove(end);
      told = List.copyOf(members.keySet());
      notifyAll();
    }
    if (gone != null) {
      CmListener.closeQuietly(gone.channel);
      if (room) {
        told.forEach(other -> other.namesChanged(Map.of(), List.of(end.contact())));
      }
    }
  }
}
