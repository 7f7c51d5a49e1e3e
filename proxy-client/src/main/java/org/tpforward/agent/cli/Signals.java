package org.tpforward.agent.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals that are to be passed on rather than to end this process. Only sun.misc.Signal can do
 * that; module jdk.unsupported exports it for such programs, and javac warns of every direct use.
 */
final class Signals {
  private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

  private Signals() {}

  /**
   * Calls {@code handler} with the number of a signal for each that comes, instead of what the JVM
   * does. Signals that this JVM does not give away are left alone.
   *
   * @param names without SIG, such as {@code TERM}
   */
  static void handle(Iterable<String> names, IntConsumer handler) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Method number = signal.getMethod("getNumber");
      Method handle = signal.getMethod("handle", signal, handlerType);
      Object proxy =
          Proxy.newProxyInstance(
              Signals.class.getClassLoader(),
              new Class<?>[] {handlerType},
              (self, method, arguments) -> {
                switch (method.getName()) {
                  case "handle" -> handler.accept((int) number.invoke(arguments[0]));
                  case "equals" -> {
                    return System.identityHashCode(self) == System.identityHashCode(arguments[0]);
                  }
                  case "hashCode" -> {
                    return System.identityHashCode(self);
                  }
                  default -> {
                    return method.getName();
                  }
                }
                return null;
              });
      for (String name : names) {
        try {
          handle.invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
        } catch (InvocationTargetException | InstantiationException e) {
          LOG.debug("SIG{} is not passed on", name, e);
        }
      }
    } catch (ReflectiveOperationException e) {
      LOG.warn("Signals are not passed on: {}", e.toString());
    }
  }
}
