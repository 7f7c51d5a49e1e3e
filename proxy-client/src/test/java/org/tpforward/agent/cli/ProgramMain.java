package org.tpforward.agent.cli;

/** The program, with agents that need no server. */
final class ProgramMain {
  private ProgramMain() {}

  public static void main(String[] arguments) {
    System.exit(Tpforward.commandLine(FakeAgent::start, System.getenv()).execute(arguments));
  }
}
