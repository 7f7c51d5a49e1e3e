package org.tpforward.agent;

import java.time.Instant;
import java.util.List;

/** A status in which every member says something. */
public final class TestStatus {
  private TestStatus() {}

  /** A busy agent of that name. */
  public static AgentStatus of(String name) {
    return new AgentStatus(
        name,
        ProcessHandle.current().pid(),
        "alice@example.org",
        "unix:path=/run/user/1000/tpforward/" + name + "/bus",
        "unix:path=/run/user/1001/bus",
        new AgentStatus.Link("down", Instant.parse("2026-01-02T03:04:05Z"), "no route to host"),
        2,
        List.of(new AgentStatus.Listener("unix:/run/user/1000/tpforward/x/bus", "bus")),
        3,
        17,
        1L << 40,
        4096,
        List.of(
            new AgentStatus.Forward(
                "file", "/org/freedesktop/Telepathy/Connection/x", "unix:/a", "unix:/b", 1, 5, 6)));
  }
}
