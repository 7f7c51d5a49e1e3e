package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.AgentProcess;
import org.tpforward.harness.PrivateServer;
import org.tpforward.harness.World;
import org.tpforward.telepathy.AccessControl;
import org.tpforward.telepathy.AddressType;
import org.tpforward.telepathy.SocketKind;

/**
 * Every kind of socket that a client can have with every kind that a CM can have: each pair works,
 * or is refused with the reason that there is. What the server can is what decides.
 */
@NeedsSides
@EitherServer
class TubeTableIT {
  private static final String WORKS = "works";
  private static final String NOT_IMPLEMENTED =
      "refused org.freedesktop.Telepathy.Error.NotImplemented: ";
  private static final int BYTES = 70_000;

  private static World world;
  private static AgentProcess agent;
  private static TubeAccount alice;
  private static TubeAccount bob;
  private static int count;

  @BeforeAll
  static void open() {
    world = World.apartWithEither("--profile", "full");
    agent = world.agent();
    alice = TubeAccount.start(agent.client(), "alice");
    bob = TubeAccount.start(world.serv(), "bob");
  }

  @AfterAll
  static void close() {
    bob.close();
    alice.close();
    agent.close();
    world.close();
  }

  @Test
  void everyPairOfKindsWorksForAcceptOrIsRefusedWithItsReason() {
    List<String> wrong = new ArrayList<>();
    for (SocketKind remote : SocketKind.ALL) {
      for (SocketKind local : SocketKind.ALL) {
        check("Accept", local, remote, accept(local, remote), acceptable(remote), wrong);
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyPairOfKindsWorksForOfferOrIsRefusedWithItsReason() {
    List<String> wrong = new ArrayList<>();
    for (SocketKind remote : SocketKind.ALL) {
      for (SocketKind local : SocketKind.ALL) {
        check("Offer", local, remote, offer(local, remote), offerable(local, remote), wrong);
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static void check(
      String call,
      SocketKind local,
      SocketKind remote,
      String result,
      String expected,
      List<String> wrong) {
    String line = "%-6s client %-20s CM %-20s ".formatted(call, words(local), words(remote));
    System.out.println(line + result);
    if (!result.startsWith(expected)) {
      wrong.add(line + result + " instead of " + expected);
    }
  }

  private static String words(SocketKind kind) {
    String type =
        switch (kind.type()) {
          case UNIX -> "unix";
          case ABSTRACT_UNIX -> "abstract";
          case IPV4 -> "ipv4";
          case IPV6 -> "ipv6";
        };
    return type + "/" + kind.access().name().toLowerCase(Locale.ROOT);
  }

  private static String code(SocketKind kind) {
    return kind.type().code() + ":" + kind.access().code();
  }

  /**
   * What the server can connect to. Neither binds a port; sshd sends no credentials and knows no
   * abstract names.
   */
  private static String acceptable(SocketKind remote) {
    boolean works =
        world.ssh() instanceof PrivateServer
            ? remote.access() != AccessControl.PORT
            : remote.access() == AccessControl.LOCALHOST
                && remote.type() != AddressType.ABSTRACT_UNIX;
    return works
        ? WORKS
        : NOT_IMPLEMENTED + "the SSH server cannot reach any socket that this CM makes";
  }

  /** What either server can listen on so that nobody but the CM gets in, or anybody may. */
  private static String offerable(SocketKind local, SocketKind remote) {
    boolean works =
        switch (remote.type()) {
          case UNIX -> true;
          case ABSTRACT_UNIX -> false;
          case IPV4, IPV6 ->
              remote.access() == AccessControl.PORT || local.access() == AccessControl.LOCALHOST;
        };
    return works
        ? WORKS
        : NOT_IMPLEMENTED + "this CM connects to nothing that the SSH server can listen on safely";
  }

  private static String accept(SocketKind local, SocketKind remote) {
    String tube = "a" + count++;
    bob.ask("cm SetMisbehaviour tube-kind s " + code(remote));
    bob.ask("offer " + tube + " alice " + code(remote) + " ANSWER");
    String accepted = alice.tryTo("accept " + tube + " " + code(local));
    String result = accepted;
    if (accepted.startsWith("ok ")) {
      result = carried(alice, tube);
    }
    alice.ask("close " + tube);
    bob.ask("close " + tube);
    return result;
  }

  private static String offer(SocketKind local, SocketKind remote) {
    String tube = "o" + count++;
    alice.ask("cm SetMisbehaviour tube-kind s " + code(remote));
    String offered = alice.tryTo("offer " + tube + " bob " + code(local) + " ANSWER");
    String result = offered;
    if (offered.startsWith("ok ")) {
      bob.ask("accept " + tube + " " + code(remote));
      result = carried(bob, tube);
      String named =
          local.access() == AccessControl.LOCALHOST ? "same" : alice.ask("named " + tube + " 1");
      if (!named.equals("same")) {
        result = "NewRemoteConnection names " + named;
      }
      bob.ask("close " + tube);
    }
    alice.ask("close " + tube);
    return result;
  }

  /** Bytes both ways, each direction with an end of its own. */
  private static String carried(TubeAccount client, String tube) {
    String ran = client.ask("run " + tube + " 1 1 " + BYTES).strip();
    return ran.equals("1 of 1") ? WORKS : ran;
  }
}
