package org.tpforward.server.bus;

import java.util.List;

/**
 * What a user may see and call on the bus: Telepathy, and what the operator adds. {@link
 * PolicedBus} tells the rules.
 *
 * @param names well-known names that may be seen and called besides Telepathy's: a name, or {@code
 *     NAME.*} for it and all below it
 * @param calls calls that are let through to a name that is seen only: {@code
 *     NAME=[INTERFACE.MEMBER][@PATH]}, where the member may be {@code *} and the path may end with
 *     {@code /*}
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
    names.forEach(NamePattern::parse);
    calls.forEach(CallRule::parse);
  }
}
