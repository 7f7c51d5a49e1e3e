package org.tpforward.it.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.tpforward.harness.Login;
import org.tpforward.harness.OneMachine;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.PrivateSshd;
import org.tpforward.harness.User;

/** tpforward-server on a loopback port, to log in at: there is no bus behind it. */
final class OwnServer implements Door {
  private final OneMachine machine;
  private final PrivateServer server;

  private OwnServer(OneMachine machine, PrivateServer server) {
    this.machine = machine;
    this.server = server;
  }

  static OwnServer start() {
    OneMachine machine = OneMachine.open();
    try {
      Login login =
          machine
              .login(User.current())
              .with("DBUS_SESSION_BUS_ADDRESS", "unix:path=" + machine.scratch() + "/no-bus");
      String listening = "--listen-directory=" + machine.scratch() + "/l"; // A path that is short.
      return new OwnServer(machine, PrivateServer.start(login, PrivateSshd.freePort(), listening));
    } catch (RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  @Override
  public int port() {
    return server.port();
  }

  /** It has one key only. */
  @Override
  public String knownHost(String type) {
    return server.knownHost() + "\n";
  }

  @Override
  public void authorize(String line) throws IOException {
    Files.writeString(
        Path.of(server.directory(), "authorized_keys"), line + "\n", StandardOpenOption.APPEND);
    server.reload();
  }

  @Override
  public void close() {
    server.close();
    machine.close();
  }
}
