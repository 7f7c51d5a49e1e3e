package org.tpforward.server.user;

import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.session.Session;
import org.jspecify.annotations.Nullable;

/**
 * Whom a key or certificate stands for. Two logins with the same name are the same user: they share
 * what was handed out to either of them.
 *
 * @param name {@code TPFORWARD_USER} of the key's line; or else {@code key FINGERPRINT}; with a
 *     certificate {@code cert PRINCIPAL}
 * @param key what logged in, for the audit: a fingerprint, and a certificate's id
 * @param bus the D-Bus address that the key's line maps to, or null for the server's own choice
 */
public record Account(String name, String key, @Nullable String bus) {
  private static final AttributeKey<Account> KEY = new AttributeKey<>();

  /** Who has logged in, or is about to; null before a key was accepted. */
  public static @Nullable Account of(Session session) {
    return session.getAttribute(KEY);
  }

  static void set(Session session, @Nullable Account account) {
    if (account == null) {
      session.removeAttribute(KEY);
    } else {
      session.setAttribute(KEY, account);
    }
  }
}
