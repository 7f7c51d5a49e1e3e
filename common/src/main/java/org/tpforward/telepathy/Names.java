package org.tpforward.telepathy;

/**
 * Interface names of the Telepathy specification. Everything derives from {@link #PREFIX}, which is
 * all that Telepathy 1.0 would change ({@code im.telepathy.v1}).
 */
public final class Names {
  /** What all names of Telepathy 0.x begin with. */
  public static final String PREFIX = "org.freedesktop.Telepathy";

  public static final String CHANNEL = PREFIX + ".Channel";
  public static final String FILE_TRANSFER = CHANNEL + ".Type.FileTransfer";
  public static final String STREAM_TUBE = CHANNEL + ".Type.StreamTube";
  public static final String DBUS_TUBE = CHANNEL + ".Type.DBusTube";
  public static final String TUBES = CHANNEL + ".Type.Tubes";
  public static final String CONFERENCE = CHANNEL + ".Interface.Conference";
  public static final String REQUESTS = PREFIX + ".Connection.Interface.Requests";
  public static final String OBSERVER = PREFIX + ".Client.Observer";
  public static final String APPROVER = PREFIX + ".Client.Approver";
  public static final String HANDLER = PREFIX + ".Client.Handler";
  public static final String DISPATCH_OPERATION = PREFIX + ".ChannelDispatchOperation";
  public static final String CHANNEL_REQUEST = PREFIX + ".ChannelRequest";

  /** D-Bus's own interface for properties. */
  public static final String PROPERTIES = "org.freedesktop.DBus.Properties";

  private Names() {}
}
