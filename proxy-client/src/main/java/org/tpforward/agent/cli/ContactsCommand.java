package org.tpforward.agent.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.Json;
import org.tpforward.agent.telepathy.ContactList;
import org.tpforward.agent.telepathy.SessionBus;
import org.tpforward.dbus.BusConnection;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code tpforward contacts}. */
@CommandLine.Command(
    name = "contacts",
    header = "Lists the contacts of an account, and what they can take.")
final class ContactsCommand extends Command {
  private final Map<String, String> environment;

  @Option(names = "--account", paramLabel = "ACCOUNT", description = Accounts.HELP)
  private @Nullable String account;

  @Option(names = "--json", description = "Print an array, on one line.")
  private boolean json;

  ContactsCommand(Map<String, String> environment) {
    this.environment = environment;
  }

  @Override
  int execute() throws IOException, InterruptedException {
    List<ContactList.Contact> contacts;
    try (BusConnection bus = SessionBus.open(environment)) {
      contacts = ContactList.read(bus, account);
    }
    if (json) {
      System.out.println(Json.of(contacts, ContactsCommand::json));
    } else if (!contacts.isEmpty()) {
      List<List<String>> rows = new ArrayList<>();
      rows.add(List.of("CONTACT", "PRESENCE", "FILES", "TUBES", "NAME"));
      contacts.forEach(contact -> rows.add(row(contact)));
      System.out.print(Table.of(rows));
    }
    return ExitCode.OK.status();
  }

  private static List<String> row(ContactList.Contact contact) {
    String tubes = contact.tubes().isEmpty() ? "-" : String.join(",", contact.tubes());
    return List.of(
        Messages.printable(contact.id()),
        Messages.printable(contact.presence()),
        contact.files() ? "yes" : "-",
        Messages.printable(tubes),
        Messages.printable(contact.alias()));
  }

  private static Json json(ContactList.Contact contact) {
    Map<String, Json> members = new LinkedHashMap<>();
    members.put("id", Json.of(contact.id()));
    members.put("alias", Json.of(contact.alias()));
    members.put("presence", Json.of(contact.presence()));
    members.put("files", new Json.Bool(contact.files()));
    members.put("tubes", Json.of(contact.tubes(), Json::of));
    return new Json.Obj(members);
  }
}
