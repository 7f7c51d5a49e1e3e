package org.tpforward.loopback;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.freedesktop.dbus.connections.transports.AbstractTransport;
import org.freedesktop.dbus.connections.transports.TransportBuilder;
import org.freedesktop.dbus.connections.transports.TransportConnection;
import org.freedesktop.dbus.exceptions.DBusException;
import org.freedesktop.dbus.messages.DBusSignal;
import org.freedesktop.dbus.messages.Error;
import org.freedesktop.dbus.messages.Message;
import org.freedesktop.dbus.messages.MessageFactory;
import org.freedesktop.dbus.messages.MethodCall;
import org.freedesktop.dbus.messages.MethodReturn;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to a message bus by dbus-java's transport and messages. Its DBusConnection answers a
 * call when the method returns; this CM must be able to answer late, twice, or wrongly, and to put
 * signals before or after a reply, so the dispatch is here.
 *
 * <p>{@link #run} handles all calls one after another on its caller's thread, in the order in which
 * they came. Everything else may be called from any thread.
 */
final class Bus implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Bus.class);
  private static final String DBUS = "org.freedesktop.DBus";
  private static final String DBUS_PATH = "/org/freedesktop/DBus";
  private static final int DO_NOT_QUEUE = 4;

  private final AbstractTransport transport;
  private final TransportConnection connection;
  private final MessageFactory messages;
  private final Map<String, BusObject> objects = new ConcurrentHashMap<>();
  private final Queue<Message> early = new ArrayDeque<>();
  private final List<String> names = new ArrayList<>();
  private final Object writing = new Object();

  private Bus(AbstractTransport transport) {
    this.transport = transport;
    this.connection = transport.getTransportConnection();
    this.messages = connection.getMessageFactory();
  }

  /** Connects and says hello. */
  static Bus connect(String address) throws IOException, DBusException {
    AbstractTransport transport = TransportBuilder.create(address).build();
    Bus bus = new Bus(transport);
    bus.callBus("Hello", "");
    return bus;
  }

  /**
   * Takes a name. Before {@link #run}, or from its thread.
   *
   * @throws IOException if somebody else has it
   */
  void requestName(String name) throws IOException, DBusException {
    Object[] reply = callBus("RequestName", "su", name, Values.u(DO_NOT_QUEUE)).getParameters();
    if (((Number) reply[0]).intValue() != 1) {
      throw new IOException(name + " is owned by somebody else");
    }
    names.add(name);
  }

  /** Gives a name up. From {@link #run}'s thread. */
  void releaseName(String name) throws IOException, DBusException {
    callBus("ReleaseName", "s", name);
    names.remove(name);
  }

  /** Gives all names up, and stays connected. From {@link #run}'s thread. */
  void releaseAllNames() {
    try {
      for (String name : List.copyOf(names)) {
        releaseName(name);
      }
    } catch (IOException | DBusException e) {
      LOG.debug("releasing names", e);
    }
  }

  /** Calls the bus itself, and keeps what comes before the answer for {@link #run}. */
  private Message callBus(String member, String signature, Object... arguments)
      throws IOException, DBusException {
    MethodCall call =
        messages.createMethodCall(
            null, DBUS, DBUS_PATH, DBUS, member, (byte) 0, signature, arguments);
    write(call);
    while (true) {
      Message message = connection.getReader().readMessage();
      if (message == null) {
        continue;
      }
      if (message.getReplySerial() != call.getSerial() || message instanceof MethodCall) {
        early.add(message);
      } else if (message instanceof MethodReturn) {
        return message;
      } else {
        throw new IOException(member + " failed: " + message);
      }
    }
  }

  void export(BusObject object) {
    objects.put(object.path(), object);
  }

  void unexport(BusObject object) {
    objects.remove(object.path(), object);
  }

  /** Sends a signal. */
  void emit(String path, String iface, String member, String signature, Object... values) {
    try {
      DBusSignal signal = messages.createSignal(null, path, iface, member, signature, values);
      write(signal);
    } catch (DBusException e) {
      throw new IllegalStateException(iface + "." + member, e);
    } catch (IOException e) {
      LOG.debug("{} was not sent", member, e);
    }
  }

  void reply(MethodCall call, String signature, Object... values) {
    try {
      if (signature.isEmpty()) {
        write(messages.createMethodReturn(call, null));
      } else {
        write(messages.createMethodReturn(call, signature, values));
      }
    } catch (DBusException e) {
      throw new IllegalStateException(call.getName(), e);
    } catch (IOException e) {
      LOG.debug("the reply to {} was not sent", call.getName(), e);
    }
  }

  void fail(MethodCall call, String errorName, String text) {
    try {
      Error error =
          messages.createError(null, call.getSource(), errorName, call.getSerial(), "s", text);
      write(error);
    } catch (DBusException e) {
      throw new IllegalStateException(errorName, e);
    } catch (IOException e) {
      LOG.debug("the error for {} was not sent", call.getName(), e);
    }
  }

  private void write(Message message) throws IOException {
    synchronized (writing) {
      connection.getWriter().writeMessage(message);
    }
  }

  /** Serves until the bus goes away or this is closed. */
  void run() {
    try {
      while (true) {
        Message message = early.poll();
        if (message == null) {
          message = connection.getReader().readMessage();
        }
        if (message instanceof MethodCall call) {
          dispatch(call);
        }
      }
    } catch (IOException | DBusException e) {
      LOG.debug("the bus is gone", e);
    }
  }

  private void dispatch(MethodCall message) throws DBusException {
    Object[] parameters = message.getParameters();
    List<Object> arguments = parameters == null ? List.of() : List.of(parameters);
    Call call = new Call(this, message, arguments, new AtomicBoolean());
    try {
      BusObject object = objects.get(message.getPath());
      if (object == null) {
        throw Fault.dbus("UnknownObject", "no object at " + message.getPath());
      }
      String signature = message.getSig();
      object
          .find(message.getInterface(), message.getName(), signature == null ? "" : signature)
          .body()
          .run(call);
    } catch (Fault fault) {
      call.fail(fault);
    } catch (RuntimeException e) {
      LOG.warn("{} failed", message.getName(), e);
      call.fail(Fault.dbus("Failed", e.toString()));
    }
  }

  @Override
  public void close() {
    try {
      transport.close();
    } catch (IOException e) {
      LOG.debug("closing the bus connection", e);
    }
  }
}
