package org.tpforward.agent.telepathy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Names;

/** The contacts of an account, by Connection.Interface.ContactList and the attributes there. */
public final class ContactList {
  private static final String PREFIX = Account.CONNECTION + ".Interface.";
  private static final String INTERFACE = PREFIX + "ContactList";
  private static final String PRESENCE = PREFIX + "SimplePresence";
  private static final String ALIASING = PREFIX + "Aliasing";
  private static final String CAPABILITIES = PREFIX + "ContactCapabilities";

  /** For a server to send the list. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  // Contact_List_State of 0.27
  private static final long WAITING = 1;
  private static final long FAILURE = 2;
  private static final long SUCCESS = 3;

  /**
   * A contact.
   *
   * @param id as the network names it
   * @param alias what it calls itself, empty if that is not known
   * @param presence such as {@code available} or {@code offline}, empty if that is not known
   * @param files whether it takes files
   * @param tubes the services for which it takes stream tubes; {@code *} for any
   */
  public record Contact(
      String id, String alias, String presence, boolean files, List<String> tubes) {
    /** Takes a copy that cannot be changed. */
    public Contact {
      tubes = List.copyOf(tubes);
    }
  }

  private ContactList() {}

  /**
   * Reads the list; connects the account if it is not, and waits for the list.
   *
   * @param account what stands after --account, null: the only one
   * @return in the order of their names
   * @throws TransferException if there is no list
   */
  public static List<Contact> read(BusConnection bus, @Nullable String account)
      throws TransferException, InterruptedException {
    LiveConnection connection = LiveConnection.open(bus, new Accounts(bus).choose(account));
    awaitList(connection);
    Value.Array interfaces =
        new Value.Array(
            "s", List.of(Value.of(PRESENCE), Value.of(ALIASING), Value.of(CAPABILITIES)));
    Value reply =
        connection
            .object()
            .value(INTERFACE, "GetContactListAttributes", interfaces, Value.of(false));
    List<Contact> contacts = new ArrayList<>();
    if (reply instanceof Value.Dict dict) {
      for (Value.Entry entry : dict.entries()) {
        if (entry.value() instanceof Value.Dict attributes) {
          contacts.add(contact(new Properties(attributes, "")));
        }
      }
    }
    contacts.sort(Comparator.comparing(Contact::id));
    return contacts;
  }

  private static void awaitList(LiveConnection connection)
      throws TransferException, InterruptedException {
    connection.listen("interface='" + INTERFACE + "',member='ContactListStateChanged'");
    ListWatch watch = new ListWatch();
    connection.watch(connection.object(), watch);
    try {
      watch.initially(
          Properties.number(connection.object().property(INTERFACE, "ContactListState"), WAITING));
      watch.await();
    } catch (TransferException e) {
      throw new TransferException(
          connection.account().shortName() + " has no contact list: " + e.getMessage(), "", e);
    } finally {
      connection.leave(connection.object());
    }
  }

  private static final class ListWatch implements Watch {
    private long state = -1; // guarded by this
    private @Nullable String lost; // guarded by this

    @Override
    public synchronized void on(Signal signal) {
      if (signal.is(INTERFACE, "ContactListStateChanged") && !signal.body().isEmpty()) {
        state = Properties.number(signal.body().getFirst(), state);
        notifyAll();
      }
    }

    @Override
    public synchronized void lost(String why) {
      lost = why;
      notifyAll();
    }

    synchronized void initially(long read) {
      if (state < 0) {
        state = read;
      }
    }

    synchronized void await() throws TransferException, InterruptedException {
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (state != SUCCESS) {
        long millis = (end - System.nanoTime()) / 1_000_000;
        if (lost != null) {
          throw new TransferException(lost);
        }
        if (state == FAILURE) {
          throw new TransferException("its server did not send it");
        }
        if (millis <= 0) {
          throw new TransferException("it did not come within " + PATIENCE.toSeconds() + " s");
        }
        wait(millis);
      }
    }
  }

  private static Contact contact(Properties attributes) {
    String presence = "";
    if (attributes.value(PRESENCE + "/presence") instanceof Value.Struct(List<Value> fields)
        && fields.size() == 3) {
      presence = Properties.text(fields.get(1));
    }
    boolean files = false;
    List<String> tubes = new ArrayList<>();
    if (attributes.value(CAPABILITIES + "/capabilities") instanceof Value.Array classes) {
      for (Value element : classes.elements()) {
        if (element instanceof Value.Struct(List<Value> fields)
            && !fields.isEmpty()
            && fields.getFirst() instanceof Value.Dict dict) {
          Properties fixed = new Properties(dict, "");
          String type = fixed.text(Names.CHANNEL + ".ChannelType");
          files |= type.equals(Names.FILE_TRANSFER);
          if (type.equals(Names.STREAM_TUBE)) {
            String service = fixed.text(Names.STREAM_TUBE + ".Service");
            tubes.add(service.isEmpty() ? "*" : service);
          }
        }
      }
    }
    return new Contact(
        attributes.text(Account.CONNECTION + "/contact-id"),
        attributes.text(ALIASING + "/alias"),
        presence,
        files,
        tubes.stream().distinct().sorted().toList());
  }
}
