package org.tpforward.harness;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Where programs run: one of two sides apart, or this machine as it is. */
public interface Place extends AutoCloseable {
  /** A directory of this place's own, in its own terms; every user may read it. */
  String scratch();

  /** The JDK, in this place's own terms. */
  String javaHome();

  /** The program in the layout of a checkout, in this place's own terms; every user may read it. */
  String program();

  /** The address at which the other side reaches this one. */
  String address();

  /** Who starts servers here. */
  Login admin();

  /**
   * A user of this place, with a home and a runtime directory of its own that are made if need be.
   *
   * @param user one whom {@link #admin} may become
   */
  Login login(User user);

  /** How this JVM names a file of that place. */
  Path path(String absolute);

  /**
   * The command line with which this JVM runs a program there.
   *
   * @param environment the whole environment of the program
   */
  List<String> command(
      User user, Map<String, String> environment, String directory, List<String> argv);

  /** Whether the command line's process has the program as its child, rather than becoming it. */
  boolean forks();

  /** Ends every program of this place and removes its files. Idempotent. */
  @Override
  void close();
}
