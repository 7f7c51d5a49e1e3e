package org.tpforward.agent.cli;

/** The program, with agents that need no server. */
final class ProgramMain {
  private ProgramMain() {}

  public static void main(String[] arguments) {
    System.exit(Tpforward.execute(FakeAgent::start, System.getenv(), arguments));
  }
}
