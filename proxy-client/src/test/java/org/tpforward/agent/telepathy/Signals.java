package org.tpforward.agent.telepathy;

import java.nio.ByteOrder;
import java.util.List;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.Signal;
import org.tpforward.dbus.Value;

/** Signals as the bus would have brought them. */
final class Signals {
  private Signals() {}

  static Signal of(String interfaceName, String member, Value... body) {
    List<Value> values = List.of(body);
    Header header =
        Header.builder(MessageType.SIGNAL)
            .serial(1)
            .path("/channel")
            .interfaceName(interfaceName)
            .member(member)
            .signature(Body.signature(values))
            .build(Body.encode(ByteOrder.nativeOrder(), values).length);
    return new Signal(header, values);
  }
}
