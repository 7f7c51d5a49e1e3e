package org.tpforward.agent.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tpforward.agent.Json;
import org.tpforward.agent.telepathy.Tube;
import org.tpforward.agent.telepathy.TubeReport;
import org.tpforward.socket.Endpoint;

/**
 * Tells of a tube on standard output: a line for each event, for people or as one JSON object.
 * Values of parameters only where they are asked for: the output may go to a log.
 */
final class TubeLines implements TubeReport {
  private static final String HIDDEN = "********";

  private final boolean json;
  private final boolean showParameters;
  private final boolean accepting;

  /**
   * @param accepting whether clients connect at this end
   */
  TubeLines(boolean json, boolean showParameters, boolean accepting) {
    this.json = json;
    this.showParameters = showParameters;
    this.accepting = accepting;
  }

  @Override
  public void waiting(String line) {
    if (json) {
      event("waiting", Map.of());
    } else {
      say(line);
    }
  }

  @Override
  public void open(Tube tube) {
    if (json) {
      Map<String, Json> members = new LinkedHashMap<>();
      members.put("service", Json.of(tube.service()));
      members.put("contact", Json.of(tube.contact()));
      members.put("address", Json.of(tube.address().toString()));
      if (tube.address() instanceof Endpoint.Ip ip) {
        members.put("port", Json.of(ip.port()));
      }
      Map<String, Json> parameters = new LinkedHashMap<>();
      tube.parameters()
          .forEach((key, value) -> parameters.put(key, Json.of(showParameters ? value : null)));
      members.put("parameters", new Json.Obj(parameters));
      event("open", members);
      return;
    }
    if (!accepting) {
      say(tube.service() + " is open to " + tube.contact());
      return;
    }
    say(tube.service() + " from " + tube.contact() + " is at " + tube.address());
    tube.parameters()
        .forEach((key, value) ->
            say(
                "  "
                    + key
                    + " = "
                    + (showParameters ? value : HIDDEN + " (--show-params shows it)")));
  }

  @Override
  public void connected(int number) {
    if (json) {
      event("connected", Map.of("connection", Json.of(number)));
    } else {
      say("connection " + number + " opened");
    }
  }

  @Override
  public void ended(int number, long received, long sent, @Nullable String reason) {
    if (json) {
      Map<String, Json> members = new LinkedHashMap<>();
      members.put("connection", Json.of(number));
      members.put("received", Json.of(received));
      members.put("sent", Json.of(sent));
      members.put("reason", Json.of(reason));
      event("ended", members);
    } else {
      say(
          "connection "
              + number
              + " ended: received "
              + Amounts.bytes(received)
              + ", sent "
              + Amounts.bytes(sent)
              + (reason == null ? "" : ": " + reason));
    }
  }

  @Override
  public synchronized void refused(String line) {
    Messages.error(line);
  }

  @Override
  public void closed(Tube tube, String line) {
    if (json) {
      event("closed", Map.of("reason", Json.of(line)));
    } else {
      say(tube.service() + ": " + line);
    }
  }

  private void event(String name, Map<String, Json> members) {
    Map<String, Json> all = new LinkedHashMap<>();
    all.put("event", Json.of(name));
    all.putAll(members);
    print(new Json.Obj(all).toString());
  }

  private void say(String line) {
    print(Messages.printable(line));
  }

  private synchronized void print(String line) {
    System.out.println(line);
  }
}
