package org.tpforward.loopback;

import static org.tpforward.loopback.Names.TUBES;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;

/**
 * One tube in the list of a {@link TubesChannel}, as one end sees it. Its signals are that
 * channel's, with the tube's number.
 */
abstract class ListedTube {
  /** {@code Tube_Type}. */
  static final int DBUS = 0;

  static final int STREAM = 1;

  /**
   * What both ends know of it.
   *
   * @param id its number, the same at both ends
   * @param initiator the handle of the account that offered it
   * @param parameters an {@code a{sv}}
   */
  record Facts(long id, long initiator, int type, String service, Map<?, ?> parameters) {}

  private final TubesChannel channel;
  private final Facts facts;
  private volatile TubeState state;

  ListedTube(TubesChannel channel, Facts facts, TubeState state) {
    this.channel = channel;
    this.facts = facts;
    this.state = state;
  }

  /** The state at the end that offers: in a room nobody needs to accept for it to be open. */
  private static TubeState whenOffered(TubesChannel channel) {
    return channel.target().type() == Handles.ROOM ? TubeState.OPEN : TubeState.REMOTE_PENDING;
  }

  TubesChannel channel() {
    return channel;
  }

  Facts facts() {
    return facts;
  }

  TubeState state() {
    return state;
  }

  /** The fields of NewTube and ListTubes: {@code uuusa{sv}u}. */
  Object[] fields() {
    return Values.struct(
        Values.u(facts.id()),
        Values.u(facts.initiator()),
        Values.u(facts.type()),
        facts.service(),
        facts.parameters(),
        Values.u(state.code()));
  }

  public void setState(TubeState now) {
    if (state != now) {
      state = now;
      channel.emit(TUBES, "TubeStateChanged", "uu", Values.u(facts.id()), Values.u(now.code()));
    }
  }

  public long contact() {
    return channel.connection().handle();
  }

  /** Ends this end's part of it. */
  abstract void close();

  /** A stream tube. */
  static final class Stream extends ListedTube implements TubeEnd {
    private final @Nullable Service offered;
    private final StreamTube tube;

    /** The end that offers it. */
    Stream(TubesChannel channel, Facts facts, Manager manager, Service offered) {
      super(channel, facts, whenOffered(channel));
      this.offered = offered;
      this.tube = new StreamTube(manager, offered, this);
    }

    /** An end that may accept it. */
    Stream(TubesChannel channel, Stream offering) {
      super(channel, offering.facts(), TubeState.LOCAL_PENDING);
      this.offered = null;
      this.tube = offering.tube;
    }

    StreamTube tube() {
      return tube;
    }

    /** What was offered here; null at an end that accepts. */
    @Nullable Service offered() {
      return offered;
    }

    @Override
    public String channelPath() {
      return channel().path();
    }

    @Override
    public void newRemoteConnection(long contact, Variant<?> parameter, long id) {
      channel()
          .emit(TUBES, "StreamTubeNewConnection", "uu", Values.u(facts().id()), Values.u(contact));
    }

    @Override
    public void newLocalConnection(long id) {
      // Channel.Type.Tubes does not tell.
    }

    @Override
    public void connectionClosed(long id, String errorName, String text) {
      // Channel.Type.Tubes does not tell.
    }

    @Override
    void close() {
      tube.close(this);
    }
  }

  /** A D-Bus tube. */
  static final class OnDBus extends ListedTube implements DBusTube.End {
    private final DBusTube tube;
    private final @Nullable OnDBus offering;
    private volatile @Nullable TubeServer server;

    /** The end that offers it. */
    OnDBus(TubesChannel channel, Facts facts, boolean room) {
      super(channel, facts, whenOffered(channel));
      this.tube = new DBusTube(room);
      this.offering = null;
    }

    /** An end that may accept it. */
    OnDBus(TubesChannel channel, OnDBus offering) {
      super(channel, offering.facts(), TubeState.LOCAL_PENDING);
      this.tube = offering.tube;
      this.offering = offering;
    }

    DBusTube tube() {
      return tube;
    }

    /** Where this end's client connects to; null before it has been accepted or offered. */
    @Nullable String address() {
      TubeServer listening = server;
      return listening == null ? null : listening.address();
    }

    /** Listens for this end's client. */
    void serve(TubeServer listening) {
      server = listening;
      tube.join(this);
      if (offering != null) {
        setState(TubeState.OPEN);
        offering.setState(TubeState.OPEN);
      }
    }

    @Override
    public void namesChanged(Map<Long, String> added, List<Long> removed) {
      channel()
          .emit(
              TUBES,
              "DBusNamesChanged",
              "ua(us)au",
              Values.u(facts().id()),
              names(added),
              removed.stream().map(Values::u).toList());
    }

    /** {@code a(us)}. */
    static List<Object[]> names(Map<Long, String> names) {
      List<Object[]> list = new ArrayList<>();
      names.forEach((handle, name) -> list.add(Values.struct(Values.u(handle), name)));
      return list;
    }

    @Override
    void close() {
      CmListener.closeQuietly(server);
      tube.leave(this);
    }
  }
}
