package org.tpforward.harness;

import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.tpforward.dbus.BusConnection;
import org.tpforward.dbus.Value;

/**
 * Many clients of one bus at once: {@code BusCrowd SOCKET COUNT}. All connect at the same time;
 * once all are there each asks the bus for its own uid's owner, and all answers are counted. Prints
 * {@code names N answers N}, the names being different ones.
 */
public final class BusCrowd {
  private static final String BUS = "org.freedesktop.DBus";
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private BusCrowd() {}

  /** Runs the program. */
  public static void main(String[] arguments) throws Exception {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(Path.of(arguments[0]));
    int count = Integer.parseInt(arguments[1]);
    List<BusConnection> clients = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
      List<Future<BusConnection>> opening = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        opening.add(threads.submit(() -> BusConnection.open(SocketChannel.open(address), TIMEOUT)));
      }
      Set<String> names = new HashSet<>();
      for (Future<BusConnection> future : opening) {
        clients.add(future.get());
        names.add(clients.getLast().uniqueName());
      }
      List<Future<Boolean>> asking = new ArrayList<>();
      for (BusConnection client : clients) {
        asking.add(threads.submit(() -> answers(client)));
      }
      int answers = 0;
      for (Future<Boolean> answer : asking) {
        answers += answer.get() ? 1 : 0;
      }
      System.out.println("names " + names.size() + " answers " + answers);
    } finally {
      clients.forEach(BusConnection::close);
    }
  }

  private static boolean answers(BusConnection client) throws Exception {
    List<Value> reply =
        client.call(
            BUS,
            "/org/freedesktop/DBus",
            BUS,
            "GetNameOwner",
            TIMEOUT,
            Value.of(client.uniqueName()));
    return reply.equals(List.of(Value.of(client.uniqueName())));
  }
}
