package org.tpforward.server.user;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which keys and certificates stand for whom: authorized_keys, and the keys of certificate
 * authorities (TrustedUserCAKeys in sshd_config(5)). Read again as a whole: an old one stays as it
 * is.
 */
public final class Keys {
  /** The answer about one key: an account, or why there is none. */
  public record Answer(@Nullable Account account, String why) {
    private static Answer no(String why) {
      return new Answer(null, why);
    }
  }

  private static final Logger log = LoggerFactory.getLogger(Keys.class);
  private static final String PERMIT = "permit-port-forwarding";

  private final AuthorizedKeys authorized;
  private final AuthorizedKeys authorities;

  private Keys(AuthorizedKeys authorized, AuthorizedKeys authorities) {
    this.authorized = authorized;
    this.authorities = authorities;
  }

  /**
   * Reads the files. Lines that cannot be used are logged.
   *
   * @param authorizedKeys null for none
   * @param trustedAuthorities null for none; a file of public keys, one a line
   * @throws IOException if one cannot be read: the message is for a person
   */
  public static Keys read(@Nullable Path authorizedKeys, @Nullable Path trustedAuthorities)
      throws IOException {
    return new Keys(readOne(authorizedKeys), readOne(trustedAuthorities));
  }

  private static AuthorizedKeys readOne(@Nullable Path file) throws IOException {
    if (file == null) {
      return AuthorizedKeys.none();
    }
    AuthorizedKeys keys = AuthorizedKeys.read(file);
    for (AuthorizedKeys.Problem problem : keys.problems()) {
      log.warn("{}, line {}, is left out: {}", file, problem.number(), problem.what());
    }
    return keys;
  }

  /** How many keys and authorities there are. */
  public int size() {
    return authorized.size() + authorities.size();
  }

  /** How many lines were left out. */
  public int problems() {
    return authorized.problems().size() + authorities.problems().size();
  }

  /**
   * Whom a key stands for. Its signature, and a certificate's own dates, signature and critical
   * options, are checked elsewhere.
   *
   * @param login the name that the client asks to log in as
   * @param address from where
   */
  Answer find(String login, PublicKey key, InetAddress address, Instant now) {
    return key instanceof OpenSshCertificate certificate
        ? certified(login, certificate, address, now)
        : plain(key, address, now);
  }

  private Answer plain(PublicKey key, InetAddress address, Instant now) {
    String why = "the key is not known";
    List<AuthorizedKeys.Line> lines =
        authorized.with(key).filter(line -> !line.options().certAuthority()).toList();
    for (AuthorizedKeys.Line line : lines) {
      String refusal = line.options().refusal(address, now);
      if (refusal == null) {
        String print = KeyUtils.getFingerPrint(key);
        return new Answer(account(line.options(), "key " + print, print), "");
      }
      why = refusal;
    }
    return Answer.no(why);
  }

  private Answer certified(
      String login, OpenSshCertificate certificate, InetAddress address, Instant now) {
    if (certificate.getExtensions().stream().noneMatch(e -> e.getName().equals(PERMIT))) {
      return Answer.no("the certificate lacks " + PERMIT);
    }
    PublicKey authority = certificate.getCaPubKey();
    Collection<String> names =
        certificate.getPrincipals() == null ? List.of() : certificate.getPrincipals();
    String print =
        KeyUtils.getFingerPrint(certificate.getCertPubKey()) + " id " + certificate.getId();
    String why = "the certificate's authority is not known";
    List<AuthorizedKeys.Line> lines =
        Stream.concat(
                authorities.with(authority),
                authorized.with(authority).filter(line -> line.options().certAuthority()))
            .toList();
    for (AuthorizedKeys.Line line : lines) {
      List<String> wanted =
          line.options().principals().isEmpty() ? List.of(login) : line.options().principals();
      String refusal = line.options().refusal(address, now);
      String principal = wanted.stream().filter(names::contains).findFirst().orElse(null);
      if (refusal == null && principal != null) {
        return new Answer(account(line.options(), "cert " + principal, print), "");
      }
      why = refusal != null ? refusal : "the certificate is not for " + String.join(" or ", wanted);
    }
    return Answer.no(why);
  }

  private static Account account(KeyOptions options, String name, String key) {
    return new Account(
        options.environment().getOrDefault("TPFORWARD_USER", name),
        key,
        options.environment().get("TPFORWARD_BUS"));
  }
}
