package org.tpforward.loopback;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.freedesktop.dbus.types.Variant;
import org.jspecify.annotations.Nullable;

/**
 * An object on the bus as a table: interfaces, and in each methods, properties and signals.
 * Properties, Introspectable and Peer come with it. Filled in by one thread before it is exported;
 * then unchanged.
 */
final class BusObject {
  static final String PROPERTIES = "org.freedesktop.DBus.Properties";
  static final String INTROSPECTABLE = "org.freedesktop.DBus.Introspectable";
  static final String PEER = "org.freedesktop.DBus.Peer";

  private static final String INTROSPECTION_BEGINS =
      """
      <!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
      <node>
      """;

  /** What a method does: it replies, now or later, or throws. */
  interface Body {
    void run(Call call) throws Fault;
  }

  /** What a property is now. */
  interface Getter {
    Object get() throws Fault;
  }

  record Method(String in, String out, Body body) {}

  /** What happens to a property that is set. */
  interface Setter {
    void set(Object value) throws Fault;
  }

  record Property(String signature, Getter getter, @Nullable Setter setter) {
    Variant<?> value() throws Fault {
      return Values.variant(getter.get(), signature);
    }
  }

  private static final class Members {
    final Map<String, Method> methods = new TreeMap<>();
    final Map<String, Property> properties = new TreeMap<>();
    final Map<String, String> signals = new TreeMap<>();
  }

  private final String path;
  private final Map<String, Members> interfaces = new LinkedHashMap<>();

  BusObject(String path) {
    this.path = path;
    method(PROPERTIES, "Get", "ss", "v", this::get);
    method(PROPERTIES, "GetAll", "s", "a{sv}", call -> call.reply("a{sv}", getAll(call.string(0))));
    method(PROPERTIES, "Set", "ssv", "", this::set);
    method(INTROSPECTABLE, "Introspect", "", "s", call -> call.reply("s", introspect()));
    method(PEER, "Ping", "", "", call -> call.reply(""));
  }

  String path() {
    return path;
  }

  void method(String iface, String name, String in, String out, Body body) {
    members(iface).methods.put(name, new Method(in, out, body));
  }

  void property(String iface, String name, String signature, Getter getter) {
    members(iface).properties.put(name, new Property(signature, getter, null));
  }

  /** A property that clients may set. */
  void writable(String iface, String name, String signature, Getter getter, Setter setter) {
    members(iface).properties.put(name, new Property(signature, getter, setter));
  }

  /** A property that never changes. */
  void constant(String iface, String name, String signature, Object value) {
    property(iface, name, signature, () -> value);
  }

  /** A property that can be read, and is computed each time. */
  void computed(String iface, String name, String signature, Supplier<Object> value) {
    property(iface, name, signature, value::get);
  }

  /** Declares a signal, for introspection. */
  void signal(String iface, String name, String signature) {
    members(iface).signals.put(name, signature);
  }

  private Members members(String iface) {
    return interfaces.computeIfAbsent(iface, name -> new Members());
  }

  /** Finds the method that a call means; without an interface the first of that name. */
  Method find(@Nullable String iface, String name, String signature) throws Fault {
    for (Map.Entry<String, Members> entry : interfaces.entrySet()) {
      Method method = entry.getValue().methods.get(name);
      if (method != null && (iface == null || iface.equals(entry.getKey()))) {
        if (!method.in.equals(signature)) {
          throw Fault.dbus(
              "InvalidArgs", name + " takes '" + method.in + "', not '" + signature + "'");
        }
        return method;
      }
    }
    throw Fault.dbus("UnknownMethod", "no method " + iface + "." + name + " at " + path);
  }

  /** All properties of an interface, as GetAll gives them. */
  Map<String, Variant<?>> getAll(String iface) throws Fault {
    Map<String, Variant<?>> values = new LinkedHashMap<>();
    Members members = interfaces.get(iface);
    if (members != null) {
      for (Map.Entry<String, Property> property : members.properties.entrySet()) {
        values.put(property.getKey(), property.getValue().value());
      }
    }
    return values;
  }

  private void get(Call call) throws Fault {
    call.reply("v", property(call).value());
  }

  private void set(Call call) throws Fault {
    Property property = property(call);
    Object value = Values.unwrap(call.arguments().get(2));
    if (property.setter() == null) {
      throw Fault.dbus("PropertyReadOnly", call.string(1) + " cannot be set");
    }
    if (value == null || !property.signature().equals(Values.signature(call.arguments().get(2)))) {
      throw Fault.invalidArgument(call.string(1) + " is " + property.signature());
    }
    property.setter().set(value);
    call.reply("");
  }

  private Property property(Call call) throws Fault {
    Members members = interfaces.get(call.string(0));
    Property property = members == null ? null : members.properties.get(call.string(1));
    if (property == null) {
      throw Fault.dbus(
          "UnknownProperty",
          "no property " + call.string(0) + "." + call.string(1) + " at " + path);
    }
    return property;
  }

  private String introspect() {
    StringBuilder xml = new StringBuilder(INTROSPECTION_BEGINS);
    interfaces.forEach((iface, members) -> {
      xml.append(" <interface name=\"").append(iface).append("\">\n");
      members.methods.forEach((name, method) -> {
        xml.append("  <method name=\"").append(name).append("\">\n");
        arguments(xml, method.in, " direction=\"in\"");
        arguments(xml, method.out, " direction=\"out\"");
        xml.append("  </method>\n");
      });
      members.properties.forEach((name, property) ->
          xml.append("  <property name=\"")
              .append(name)
              .append("\" type=\"")
              .append(property.signature)
              .append("\" access=\"")
              .append(property.setter == null ? "read" : "readwrite")
              .append("\"/>\n"));
      members.signals.forEach((name, signature) -> {
        xml.append("  <signal name=\"").append(name).append("\">\n");
        arguments(xml, signature, "");
        xml.append("  </signal>\n");
      });
      xml.append(" </interface>\n");
    });
    return xml.append("</node>\n").toString();
  }

  private static void arguments(StringBuilder xml, String signature, String attributes) {
    for (String type : Values.split(signature)) {
      xml.append("   <arg type=\"").append(type).append('"').append(attributes).append("/>\n");
    }
  }
}
