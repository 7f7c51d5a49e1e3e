package org.tpforward.agent.telepathy;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

/** The tubes that the connections on a bus have. */
public final class TubeList {
  /**
   * A tube, offered from here or to here.
   *
   * @param account whose connection, {@code CM/PROTOCOL/ACCOUNT}
   * @param kind {@code stream} or {@code dbus}
   * @param service what it is for
   * @param contact who is at the other end, a room perhaps
   * @param outgoing whether it was offered from here
   * @param channel its object path
   * @param state {@code local-pending}, {@code remote-pending}, {@code open}, {@code not-offered},
   *     {@code unknown}
   */
  public record Entry(
      String account,
      String kind,
      String service,
      String contact,
      boolean outgoing,
      String channel,
      String state) {}

  private TubeList() {}

  /**
   * Asks the connections; starts and connects none.
   *
   * @param account what stands after --account, null: all
   */
  public static List<Entry> read(BusConnection bus, @Nullable String account)
      throws TransferException {
    List<Account> accounts = new Accounts(bus).matching(account);
    if (account != null && accounts.isEmpty()) {
      throw new TransferException("no connection \"" + account + "\" on the bus");
    }
    List<Entry> entries = new ArrayList<>();
    for (Account each : accounts) {
      entries.addAll(read(bus, each));
    }
    return entries;
  }

  private static List<Entry> read(BusConnection bus, Account account) throws TransferException {
    RemoteObject connection = new RemoteObject(bus, account.service(), account.path());
    List<IncomingTubes.Offer> channels = new ArrayList<>();
    Value all = connection.property(Names.REQUESTS, "Channels");
    LiveConnection.forEach(
        all, (path, properties) -> channels.add(new IncomingTubes.Offer(path, properties)));
    List<Entry> entries = new ArrayList<>();
    for (IncomingTubes.Offer channel : channels) {
      Properties properties = channel.properties();
      String type = properties.text(Names.CHANNEL + ".ChannelType");
      boolean stream = type.equals(Names.STREAM_TUBE);
      if (stream || type.equals(Names.DBUS_TUBE)) {
        entries.add(
            new Entry(
                account.shortName(),
                stream ? "stream" : "dbus",
                properties.text(type + (stream ? ".Service" : ".ServiceName")),
                properties.text(Names.CHANNEL + ".TargetID"),
                properties.isTrue(Names.CHANNEL + ".Requested"),
                channel.path(),
                TubeState.read(connection.at(channel.path())).word()));
      }
    }
    return entries;
  }
}
