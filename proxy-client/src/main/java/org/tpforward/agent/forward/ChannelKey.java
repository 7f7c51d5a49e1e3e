package org.tpforward.agent.forward;

/**
 * One Telepathy channel on the remote bus.
 *
 * @param owner the CM's unique name: well-known names may change hands
 * @param path the channel's object path
 */
public record ChannelKey(String owner, String path) {}
