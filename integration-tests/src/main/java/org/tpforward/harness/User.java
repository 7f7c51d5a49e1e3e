package org.tpforward.harness;

/**
 * Who runs a program.
 *
 * @param name the login name; both sides' passwd know it
 * @param uid numeric user id, the group id too
 */
public record User(String name, int uid) {
  /** Who may do everything within a side. */
  public static final User ROOT = new User("root", 0);

  /** Who sits at the desktop and runs the agent there. */
  public static final User DESK = new User("desk", 20001);

  /** As whom the agent logs in at the server, and the owner of the remote bus. */
  public static final User SERV = new User("serv", 20002);

  /** Another user of either machine. */
  public static final User STRANGER = new User("stranger", 20003);

  /** The user that this JVM runs as. */
  public static User current() {
    return new User(
        System.getProperty("user.name", "nobody"),
        Math.toIntExact(new com.sun.security.auth.module.UnixSystem().getUid()));
  }

  /** Whether this is root. */
  public boolean isRoot() {
    return uid == 0;
  }
}
