package org.tpforward.agent.link;

import java.util.Comparator;
import java.util.List;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.signature.Signature;

/**
 * Puts the user's choice of algorithms into a client; leaves the client's own where there is none.
 */
final class Algorithms {
  private Algorithms() {}

  /** Applies ciphers, MACs, key exchanges and the order of host key algorithms. */
  static void apply(SshConfig config, HostKeyPolicy policy, SshClient client) throws LinkException {
    SshConfig.Algorithms chosen = config.algorithms();
    if (!chosen.ciphers().isEmpty()) {
      client.setCipherFactories(pick("Ciphers", chosen.ciphers(), client.getCipherFactories()));
    }
    if (!chosen.macs().isEmpty()) {
      client.setMacFactories(pick("MACs", chosen.macs(), client.getMacFactories()));
    }
    if (!chosen.keyExchanges().isEmpty()) {
      client.setKeyExchangeFactories(
          pick("KexAlgorithms", chosen.keyExchanges(), client.getKeyExchangeFactories()));
    }
    List<NamedFactory<Signature>> offered =
        chosen.hostKeys().isEmpty()
            ? ed25519First(client.getSignatureFactories())
            : pick("HostKeyAlgorithms", chosen.hostKeys(), client.getSignatureFactories());
    client.setSignatureFactories(
        policy.order(NamedResource.getNameList(offered)).stream()
            .map(name -> byName(name, offered))
            .toList());
  }

  /** As ssh prefers them, so that a new host is known by the same key to both. */
  private static List<NamedFactory<Signature>> ed25519First(List<NamedFactory<Signature>> all) {
    return all.stream()
        .sorted(Comparator.comparing(f -> !f.getName().startsWith("ssh-ed25519")))
        .toList();
  }

  /** The signature algorithms for the user's own keys. */
  static List<NamedFactory<Signature>> forKeys(SshConfig config, SshClient client)
      throws LinkException {
    List<String> chosen = config.algorithms().publicKeys();
    List<NamedFactory<Signature>> all = client.getSignatureFactories();
    return chosen.isEmpty() ? all : pick("PubkeyAcceptedAlgorithms", chosen, all);
  }

  private static <T extends NamedResource> List<T> pick(
      String keyword, List<String> names, List<T> available) throws LinkException {
    List<T> picked =
        names.stream()
            .flatMap(name -> available.stream().filter(a -> a.getName().equals(name)))
            .toList();
    if (picked.isEmpty()) {
      throw new LinkException(
          LinkException.Cause.CONFIGURATION,
          keyword
              + ": none of those is known here; there are "
              + String.join(",", available.stream().map(NamedResource::getName).toList()));
    }
    return picked;
  }

  private static NamedFactory<Signature> byName(
      String name, List<NamedFactory<Signature>> available) {
    return available.stream().filter(f -> f.getName().equals(name)).findFirst().orElseThrow();
  }
}
