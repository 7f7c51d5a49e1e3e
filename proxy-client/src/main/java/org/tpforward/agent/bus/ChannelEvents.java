package org.tpforward.agent.bus;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.forward.ChannelEvent;
import org.tpforward.agent.forward.ChannelKey;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

/** Reads channel events out of signals: the control connection's, and those on their way out. */
final class ChannelEvents {
  private static final String BUS = "org.freedesktop.DBus";

  /** {@code File_Transfer_State_Completed} and {@code _Cancelled}. */
  private static final long COMPLETED = 4;

  private static final long CANCELLED = 5;

  /** Bytes: the longest arguments are three names of at most 255 each. */
  private static final int MAX_BODY = 4096;

  /** What the control connection asks the bus to send it. */
  static final List<String> MATCH_RULES =
      List.of(
          rule(BUS, "NameOwnerChanged") + ",sender='" + BUS + "'",
          rule(Names.CHANNEL, "Closed"),
          rule(Names.TUBES, "TubeClosed"),
          rule(Names.STREAM_TUBE, "NewRemoteConnection"),
          rule(Names.FILE_TRANSFER, "FileTransferStateChanged"),
          rule(Names.FILE_TRANSFER, "InitialOffsetDefined"));

  /** Where the arguments of a signal come from. */
  @FunctionalInterface
  interface Arguments {
    List<Value> get() throws IOException;
  }

  private ChannelEvents() {}

  /** Whether it is one of these signals, and no longer than any of them can be. */
  static boolean isOne(Header header) {
    return header.bodyLength() <= MAX_BODY
        && switch (String.valueOf(header.member())) {
          case "Closed" -> Names.CHANNEL.equals(header.interfaceName());
          case "TubeClosed" -> Names.TUBES.equals(header.interfaceName());
          case "NewRemoteConnection" -> Names.STREAM_TUBE.equals(header.interfaceName());
          case "FileTransferStateChanged", "InitialOffsetDefined" ->
              Names.FILE_TRANSFER.equals(header.interfaceName());
          case "NameOwnerChanged" -> BUS.equals(header.interfaceName());
          default -> false;
        };
  }

  /** What the signal says of a channel, if anything. Reads the arguments only where it needs to. */
  static Optional<ChannelEvent> of(Header header, Arguments arguments) throws IOException {
    if (header.type() != MessageType.SIGNAL) {
      return Optional.empty();
    }
    String interfaceName = header.interfaceName();
    String member = header.member();
    String sender = header.sender();
    String path = header.path();
    if (interfaceName == null || member == null || sender == null || path == null) {
      return Optional.empty();
    }
    return Optional.ofNullable(
        switch (member) {
          case "Closed" ->
              interfaceName.equals(Names.CHANNEL)
                  ? new ChannelEvent.Closed(new ChannelKey(sender, path))
                  : null;
          case "TubeClosed" ->
              interfaceName.equals(Names.TUBES)
                      && first(header, "u", arguments) instanceof Value.Uint32(long id)
                  ? new ChannelEvent.TubeClosed(new ChannelKey(sender, path), id)
                  : null;
          case "FileTransferStateChanged" ->
              interfaceName.equals(Names.FILE_TRANSFER)
                      && first(header, "uu", arguments) instanceof Value.Uint32(long state)
                  ? stateChanged(new ChannelKey(sender, path), state)
                  : null;
          case "InitialOffsetDefined" ->
              interfaceName.equals(Names.FILE_TRANSFER)
                      && first(header, "t", arguments) instanceof Value.Uint64(long offset)
                  ? new ChannelEvent.OffsetDefined(new ChannelKey(sender, path), offset)
                  : null;
          case "NewRemoteConnection" ->
              interfaceName.equals(Names.STREAM_TUBE) && header.signature().equals("uvu")
                  ? newConnection(new ChannelKey(sender, path), arguments.get())
                  : null;
          case "NameOwnerChanged" ->
              interfaceName.equals(BUS) && sender.equals(BUS) && header.signature().equals("sss")
                  ? ownerChanged(arguments.get())
                  : null;
          default -> null;
        });
  }

  private static @Nullable ChannelEvent stateChanged(ChannelKey channel, long state) {
    if (state == COMPLETED) {
      return new ChannelEvent.Completed(channel);
    }
    return state == CANCELLED ? new ChannelEvent.Cancelled(channel) : null;
  }

  private static @Nullable ChannelEvent newConnection(ChannelKey channel, List<Value> arguments) {
    return arguments.get(2) instanceof Value.Uint32(long id)
        ? new ChannelEvent.NewConnection(channel, arguments.get(1), id)
        : null;
  }

  private static @Nullable ChannelEvent ownerChanged(List<Value> arguments) {
    return arguments.get(0) instanceof Value.Str(String name)
            && arguments.get(2) instanceof Value.Str(String owner)
            && name.startsWith(":")
            && owner.isEmpty()
        ? new ChannelEvent.OwnerGone(name)
        : null;
  }

  private static @Nullable Value first(Header header, String signature, Arguments arguments)
      throws IOException {
    return header.signature().equals(signature) ? arguments.get().get(0) : null;
  }

  private static String rule(String interfaceName, String member) {
    return "type='signal',interface='" + interfaceName + "',member='" + member + "'";
  }
}
