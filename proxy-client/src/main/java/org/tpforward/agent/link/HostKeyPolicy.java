package org.tpforward.agent.link;

import java.io.IOException;
import java.net.SocketAddress;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.sshd.client.keyverifier.ServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.digest.BuiltinDigests;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides about the server's key, for one connection. A changed or revoked key is refused whatever
 * the configuration says; an unknown one is refused unless a user on a terminal or
 * StrictHostKeyChecking says otherwise.
 *
 * <p>Called by the thread that reads the connection, which waits for the user's answer.
 */
final class HostKeyPolicy implements ServerKeyVerifier {
  private static final Logger log = LoggerFactory.getLogger(HostKeyPolicy.class);
  private static final String CERTIFICATE = "-cert-v01@openssh.com";

  private final SshConfig config;
  private final Prompts prompts;
  private final List<KnownHosts.Entry> known;
  private final List<KnownHosts.Entry> knownWithoutPort;
  private byte @Nullable [] accepted;
  private volatile @Nullable LinkException refusal;

  HostKeyPolicy(SshConfig config, Prompts prompts) {
    this.config = config;
    this.prompts = prompts;
    KnownHosts hosts =
        KnownHosts.read(
            Stream.concat(config.userKnownHosts().stream(), config.globalKnownHosts().stream())
                .toList());
    known = hosts.of(config.knownAs());
    // As ssh: a key that is known for the host as such is good on its other ports.
    knownWithoutPort =
        config.knownAs().equals(config.host()) || config.hostKeyAlias() != null
            ? List.of()
            : hosts.of(config.host());
  }

  /** Why the key was refused, or null. */
  @Nullable LinkException refusal() {
    return refusal;
  }

  /**
   * Puts the algorithms first for which a key is known: a server with several keys would otherwise
   * show one that nobody knows.
   *
   * @param offered names of host key algorithms
   */
  List<String> order(List<String> offered) {
    boolean authority =
        Stream.concat(known.stream(), knownWithoutPort.stream())
            .anyMatch(e -> e.kind() == KnownHosts.Kind.AUTHORITY);
    Set<String> types =
        Stream.concat(known.stream(), knownWithoutPort.stream())
            .filter(e -> e.kind() == KnownHosts.Kind.HOST)
            .map(KnownHosts.Entry::type)
            .collect(Collectors.toSet());
    List<String> first = new ArrayList<>();
    List<String> rest = new ArrayList<>();
    List<String> last = new ArrayList<>();
    for (String algorithm : offered) {
      boolean certificate = algorithm.endsWith(CERTIFICATE);
      if (certificate) {
        (authority ? first : last).add(algorithm);
      } else {
        (types.contains(keyType(algorithm)) ? first : rest).add(algorithm);
      }
    }
    // Certificates come before keys where an authority is known, as in ssh's own list.
    first.sort((a, b) -> Boolean.compare(b.endsWith(CERTIFICATE), a.endsWith(CERTIFICATE)));
    return Stream.of(first, rest, last).flatMap(List::stream).toList();
  }

  private static String keyType(String algorithm) {
    return algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm;
  }

  @Override
  public boolean verifyServerKey(ClientSession session, SocketAddress remote, PublicKey key) {
    byte[] blob = blob(key);
    byte[] before = accepted;
    if (before != null) {
      // A later key exchange of the same connection.
      return Arrays.equals(before, blob)
          || refuse(changed(key, "the key changed in mid-connection"));
    }
    LinkException problem =
        key instanceof OpenSshCertificate certificate
            ? checkCertificate(certificate)
            : checkKey(key);
    if (problem != null) {
      return refuse(problem);
    }
    accepted = blob;
    return true;
  }

  private boolean refuse(LinkException problem) {
    refusal = problem;
    return false;
  }

  private @Nullable LinkException checkCertificate(OpenSshCertificate certificate) {
    byte[] authority = blob(certificate.getCaPubKey());
    byte[] certified = blob(certificate.getCertPubKey());
    for (KnownHosts.Entry entry : concat()) {
      if (entry.kind() == KnownHosts.Kind.REVOKED
          && (entry.holds(authority) || entry.holds(certified))) {
        return revoked(certificate.getCertPubKey(), entry);
      }
    }
    boolean signed =
        concat().stream()
            .anyMatch(e -> e.kind() == KnownHosts.Kind.AUTHORITY && e.holds(authority));
    // A certificate by somebody unknown is worth what the key in it is.
    return signed ? null : checkKey(certificate.getCertPubKey());
  }

  private List<KnownHosts.Entry> concat() {
    return Stream.concat(known.stream(), knownWithoutPort.stream()).toList();
  }

  private @Nullable LinkException checkKey(PublicKey key) {
    byte[] blob = blob(key);
    for (KnownHosts.Entry entry : concat()) {
      if (entry.kind() == KnownHosts.Kind.REVOKED && entry.holds(blob)) {
        return revoked(key, entry);
      }
    }
    if (concat().stream().anyMatch(e -> e.kind() == KnownHosts.Kind.HOST && e.holds(blob))) {
      return null;
    }
    String type = KeyUtils.getKeyType(key);
    for (KnownHosts.Entry entry : known) {
      if (entry.kind() == KnownHosts.Kind.HOST && entry.type().equals(type)) {
        return changed(key, "another one stands in " + entry.where());
      }
    }
    List<KnownHosts.Entry> others =
        known.stream().filter(e -> e.kind() == KnownHosts.Kind.HOST).toList();
    return checkUnknown(key, others);
  }

  private @Nullable LinkException checkUnknown(PublicKey key, List<KnownHosts.Entry> others) {
    switch (config.strictHostKeys()) {
      case YES -> {
        return unknown(key, "StrictHostKeyChecking is on");
      }
      case ACCEPT_NEW, NO -> {
        if (!others.isEmpty()) {
          return changed(key, "keys of other types stand in " + others.getFirst().where());
        }
        log.warn(
            "{} is added to the known hosts, with the {} key {}",
            config.knownAs(),
            name(key),
            fingerprint(key));
      }
      case ASK -> {
        String answer = askUser(key, others);
        if (answer == null) {
          return unknown(key, "there is no terminal on which to ask");
        }
        if (!answer.equals("yes")) {
          return unknown(key, "you said no");
        }
      }
    }
    remember(key);
    return null;
  }

  private @Nullable String askUser(PublicKey key, List<KnownHosts.Entry> others) {
    String question =
        "The authenticity of host '"
            + config.knownAs()
            + "' can't be established.\n"
            + name(key)
            + " key fingerprint is "
            + fingerprint(key)
            + ".\n"
            + (others.isEmpty()
                ? "This key is not known by any other names.\n"
                : "Keys of other types are known for this host: " + types(others) + ".\n")
            + "Are you sure you want to continue connecting (yes/no/[fingerprint])? ";
    String answer = prompts.askOnTerminal(question);
    while (answer != null) {
      String plain = answer.strip();
      if (plain.equalsIgnoreCase("yes") || plain.equals(fingerprint(key))) {
        return "yes";
      }
      if (plain.equalsIgnoreCase("no")) {
        return "no";
      }
      answer = prompts.askOnTerminal("Please type 'yes', 'no' or the fingerprint: ");
    }
    return null;
  }

  private static String types(List<KnownHosts.Entry> entries) {
    return entries.stream()
        .map(KnownHosts.Entry::type)
        .distinct()
        .collect(Collectors.joining(", "));
  }

  private void remember(PublicKey key) {
    if (config.userKnownHosts().isEmpty()) {
      return;
    }
    var file = config.userKnownHosts().getFirst();
    try {
      KnownHostsFile.append(
          file, config.knownAs(), config.hashKnownHosts(), KeyUtils.getKeyType(key), blob(key));
    } catch (IOException e) {
      log.warn("{} cannot be written, so the host stays unknown: {}", file, e.toString());
    }
  }

  private LinkException revoked(PublicKey key, KnownHosts.Entry entry) {
    return new LinkException(
        LinkException.Cause.HOST_KEY_CHANGED,
        "the "
            + name(key)
            + " key of "
            + config.knownAs()
            + " is marked as revoked in "
            + entry.where()
            + ": do not connect before its owner has explained it");
  }

  private LinkException changed(PublicKey key, String how) {
    return new LinkException(
        LinkException.Cause.HOST_KEY_CHANGED,
        "the host key of "
            + config.knownAs()
            + " has changed ("
            + name(key)
            + " "
            + fingerprint(key)
            + "; "
            + how
            + "): somebody may be listening in. If the change is known to be right: ssh-keygen -R '"
            + config.knownAs()
            + "'");
  }

  private LinkException unknown(PublicKey key, String why) {
    return new LinkException(
        LinkException.Cause.HOST_KEY_UNKNOWN,
        "the host key of "
            + config.knownAs()
            + " is not known ("
            + name(key)
            + " "
            + fingerprint(key)
            + ") and "
            + why
            + ": connect once with ssh in a terminal, or add the key to known_hosts");
  }

  /** As ssh shows it: ED25519, RSA, ECDSA. */
  private static String name(PublicKey key) {
    String type = KeyUtils.getKeyType(key);
    String shown = type.startsWith("ecdsa-") ? "ecdsa" : type.replaceFirst("^ssh-", "");
    return shown.toUpperCase(Locale.ROOT);
  }

  private static String fingerprint(PublicKey key) {
    return KeyUtils.getFingerPrint(BuiltinDigests.sha256, key);
  }

  private static byte[] blob(PublicKey key) {
    ByteArrayBuffer buffer = new ByteArrayBuffer();
    buffer.putRawPublicKey(key);
    return buffer.getCompactData();
  }
}
