package org.tpforward.agent.telepathy;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;

/**
 * A stream tube at this end.
 *
 * @param service what it is for, such as {@code http}
 * @param contact who is at the other end
 * @param address where the service listens, or at the accepting end where clients connect
 * @param parameters what the offering end told with it, as text, in its order; may be secret
 */
public record Tube(
    String service, String contact, Endpoint address, Map<String, String> parameters) {
  /** Takes a copy that cannot be changed. */
  public Tube {
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }

  /** Parameters as text: numbers and strings as they are, anything else by its signature. */
  static Map<String, String> parameters(Value.Dict dict) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (Value.Entry entry : dict.entries()) {
      Value value = entry.value().unwrap();
      String text =
          switch (value) {
            case Value.Str(String s) -> s;
            case Value.ObjPath(String s) -> s;
            case Value.Bool(boolean b) -> Boolean.toString(b);
            case Value.Dbl(double d) -> Double.toString(d);
            case Value.Uint64(long n) -> Long.toUnsignedString(n);
            case Value.Bytes bytes -> bytes.value().length + " bytes";
            default -> {
              long number = Properties.number(value, Long.MIN_VALUE);
              yield number == Long.MIN_VALUE ? value.signature() : Long.toString(number);
            }
          };
      texts.put(Properties.text(entry.key()), text);
    }
    return texts;
  }

  /** Hides the parameters. */
  @Override
  public String toString() {
    return service + " with " + contact + " at " + address;
  }
}
