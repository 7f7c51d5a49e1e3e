package org.tpforward.server.bus;

import java.util.List;

/**
 * What a user may see, own and call on the bus: Telepathy, and what the operator adds.
 *
 * @param names well-known names that are let through besides Telepathy's: a name, or {@code NAME.*}
 *     for all below it
 * @param calls calls that are let through to a name that is seen only: {@code
 *     NAME=[INTERFACE.MEMBER][@PATH]}, where either may end with {@code *}
 */
public record BusPolicy(List<String> names, List<String> calls) {
  /** Only Telepathy. */
  public static final BusPolicy TELEPATHY = new BusPolicy(List.of(), List.of());

  /**
   * Takes copies.
   *
   * @throws IllegalArgumentException if one is malformed: the message is for a person
   */
  public BusPolicy {
    names = List.copyOf(names);
    calls = List.copyOf(calls);
  }
}
