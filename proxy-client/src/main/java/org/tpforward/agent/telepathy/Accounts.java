package org.tpforward.agent.telepathy;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

/** Finds connections on a bus, and makes one where a connection manager can. */
final class Accounts {
  private static final String MANAGER = Names.PREFIX + ".ConnectionManager";
  private static final String SERVICE_UNKNOWN = "org.freedesktop.DBus.Error.ServiceUnknown";
  private static final String MANAGER_PREFIX = MANAGER + ".";

  private final BusConnection bus;
  private final RemoteObject daemon;

  Accounts(BusConnection bus) {
    this.bus = bus;
    this.daemon = RemoteObject.bus(bus);
  }

  /** All connections on the bus. */
  List<Account> list() throws TransferException {
    List<Account> accounts = new ArrayList<>();
    for (String name : names("ListNames")) {
      if (name.startsWith(Account.PREFIX)) {
        accounts.add(new Account(name, selfId(name)));
      }
    }
    return accounts;
  }

  /** The connections that the user means; all of them if he names none. Starts nothing. */
  List<Account> matching(@Nullable String wanted) throws TransferException {
    return wanted == null ? list() : list().stream().filter(a -> a.matches(wanted)).toList();
  }

  private List<String> names(String member) throws TransferException {
    return Properties.texts(daemon.value(RemoteObject.BUS, member));
  }

  private String selfId(String service) {
    RemoteObject connection = new RemoteObject(bus, service, new Account(service, "").path());
    try {
      return Properties.text(connection.property(Account.CONNECTION, "SelfID"));
    } catch (TransferException e) {
      // Older than SelfID, or not connected: it is known by its name only.
      return "";
    }
  }

  /**
   * The account that the user means; one that can be started is started, without connecting it.
   *
   * @param wanted what stands after --account; null: the only one
   */
  Account choose(@Nullable String wanted) throws TransferException {
    List<Account> accounts = list();
    if (wanted == null) {
      return only(accounts);
    }
    List<Account> matching = accounts.stream().filter(a -> a.matches(wanted)).toList();
    if (!matching.isEmpty()) {
      return only(matching);
    }
    Account.Wanted parts = Account.Wanted.parse(wanted);
    if (parts == null) {
      throw new TransferException(
          "no connection \""
              + wanted
              + "\" on the bus; "
              + (accounts.isEmpty() ? "there is none" : "there is: " + listed(accounts))
              + "; PROTOCOL:ACCOUNT starts one");
    }
    return request(parts);
  }

  private static Account only(List<Account> accounts) throws TransferException {
    if (accounts.isEmpty()) {
      throw new TransferException(
          "there is no Telepathy connection on the bus; --account PROTOCOL:ACCOUNT starts one");
    }
    if (accounts.size() > 1) {
      throw new TransferException(
          "there are several connections, so choose one with --account: " + listed(accounts));
    }
    return accounts.getFirst();
  }

  private static String listed(List<Account> accounts) {
    return String.join(", ", accounts.stream().map(Account::toString).toList());
  }

  private Account request(Account.Wanted wanted) throws TransferException {
    RemoteObject manager = manager(wanted);
    List<Value> reply;
    try {
      reply = requestConnection(manager, wanted);
    } catch (TransferException e) {
      if (e.errorName().equals(SERVICE_UNKNOWN)) {
        throw new TransferException("there is no " + manager.service() + " on the bus");
      }
      throw e;
    }
    String service = Properties.text(manager.first("RequestConnection", reply));
    if (!service.startsWith(Account.PREFIX)) {
      throw new TransferException(
          manager.service() + " answers RequestConnection with a name that is no connection's");
    }
    return new Account(service, "");
  }

  private static List<Value> requestConnection(RemoteObject manager, Account.Wanted wanted)
      throws TransferException {
    Value.Dict parameters = Value.dict(Map.of("account", Value.of(wanted.account())));
    return manager.call(
        SessionBus.NETWORK, MANAGER, "RequestConnection", Value.of(wanted.protocol()), parameters);
  }

  private RemoteObject manager(Account.Wanted wanted) throws TransferException {
    if (wanted.manager() != null) {
      return manager(wanted.manager());
    }
    Set<String> managers = new LinkedHashSet<>(names("ListNames"));
    managers.addAll(names("ListActivatableNames"));
    managers.removeIf(name -> !name.startsWith(MANAGER_PREFIX));
    for (String service : managers) {
      RemoteObject manager = manager(service.substring(MANAGER_PREFIX.length()));
      try {
        if (Properties.texts(manager.value(MANAGER, "ListProtocols")).contains(wanted.protocol())) {
          return manager;
        }
      } catch (TransferException e) {
        // One that cannot be started does not keep us from asking the others.
      }
    }
    throw new TransferException(
        "no connection manager on the bus knows the protocol \"" + wanted.protocol() + "\"");
  }

  private RemoteObject manager(String name) throws TransferException {
    if (!name.matches("[A-Za-z][A-Za-z0-9_]*")) {
      throw new TransferException("\"" + name + "\" is no name of a connection manager");
    }
    return new RemoteObject(
        bus, MANAGER_PREFIX + name, "/" + MANAGER.replace('.', '/') + "/" + name);
  }
}
