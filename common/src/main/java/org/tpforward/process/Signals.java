package org.tpforward.process;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals that mean something else to this process than its end. Only sun.misc.Signal can do that;
 * module jdk.unsupported exports it for such programs, and javac warns of every direct use.
 */
public final class Signals {
  /**
   * A signal that has come.
   *
   * @param name without SIG, such as {@code TERM}
   * @param number the system's
   */
  public record Caught(String name, int number) {}

  private static final Logger LOG = LoggerFactory.getLogger(Signals.class);

  private Signals() {}

  /**
   * Calls {@code handler} for each signal that comes, instead of what the JVM does. Signals that
   * this JVM does not give away are left alone.
   *
   * @param names without SIG, such as {@code TERM}
   */
  public static void handle(Iterable<String> names, Consumer<Caught> handler) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Method number = signal.getMethod("getNumber");
      Method nameOf = signal.getMethod("getName");
      Method handle = signal.getMethod("handle", signal, handlerType);
      Object proxy =
          Proxy.newProxyInstance(
              Signals.class.getClassLoader(),
              new Class<?>[] {handlerType},
              (self, method, arguments) -> {
                switch (method.getName()) {
                  case "handle" ->
                      handler.accept(
                          new Caught(
                              (String) nameOf.invoke(arguments[0]),
                              (int) number.invoke(arguments[0])));
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
          LOG.debug("SIG{} is left as it is", name, e);
        }
      }
    } catch (ReflectiveOperationException e) {
      LOG.warn("Signals are left as they are: {}", e.toString());
    }
  }
}
