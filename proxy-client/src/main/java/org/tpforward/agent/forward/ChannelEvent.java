package org.tpforward.agent.forward;

import org.tpforward.dbus.Value;

/** What the bus says of a channel that has sockets, reduced to what matters to them. */
public sealed interface ChannelEvent {
  /** Channel.Closed. */
  record Closed(ChannelKey channel) implements ChannelEvent {}

  /** C.T.Tubes.TubeClosed: one tube of a channel that holds many. */
  record TubeClosed(ChannelKey channel, long id) implements ChannelEvent {}

  /** FileTransferStateChanged to Completed: the last byte has left the CM, or soon will. */
  record Completed(ChannelKey channel) implements ChannelEvent {}

  /** FileTransferStateChanged to Cancelled. */
  record Cancelled(ChannelKey channel) implements ChannelEvent {}

  /** InitialOffsetDefined, in bytes. */
  record OffsetDefined(ChannelKey channel, long offset) implements ChannelEvent {}

  /** C.T.StreamTube.NewRemoteConnection: the CM has connected to an offered tube. */
  record NewConnection(ChannelKey channel, Value parameter, long id) implements ChannelEvent {}

  /** NameOwnerChanged: a unique name has left the bus. */
  record OwnerGone(String owner) implements ChannelEvent {}
}
