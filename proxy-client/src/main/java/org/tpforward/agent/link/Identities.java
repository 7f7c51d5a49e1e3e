package org.tpforward.agent.link;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.sshd.client.auth.pubkey.PublicKeyIdentity;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.session.SessionContext;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.common.signature.Signature;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys to try, in ssh's order: those files whose key the agent holds, the agent's other keys
 * (not under IdentitiesOnly), the other files; certificates each before their key. Closing it
 * closes the connection to the agent.
 */
final class Identities implements Iterator<PublicKeyIdentity>, Closeable {
  private static final Logger log = LoggerFactory.getLogger(Identities.class);

  private final SshConfig config;
  private final Prompts prompts;
  private final Map<Path, KeyPair> unlocked;
  private final @Nullable SshAgent agent;
  private final Deque<PublicKeyIdentity> ready = new ArrayDeque<>();
  // Files that tell their public key only to who knows the passphrase.
  private final Deque<KeyFile> closed = new ArrayDeque<>();
  private int tried;

  Identities(SshConfig config, Prompts prompts, Map<Path, KeyPair> unlocked) {
    this.config = config;
    this.prompts = prompts;
    this.unlocked = unlocked;
    this.agent = connectAgent(config.agent());
    List<SshAgent.Key> held = agentKeys();
    List<PublicKey> certificates = new ArrayList<>();
    for (Path file : config.certificateFiles()) {
      PublicKey certificate = KeyFile.readPublic(file);
      if (certificate instanceof OpenSshCertificate) {
        certificates.add(certificate);
      } else {
        log.warn("there is no certificate in {}", file);
      }
    }
    List<PublicKeyIdentity> inAgent = new ArrayList<>();
    List<PublicKeyIdentity> onlyFiles = new ArrayList<>();
    List<PublicKey> done = new ArrayList<>();
    for (Path path : config.identityFiles()) {
      addFile(path, held, certificates, inAgent, onlyFiles, done);
    }
    ready.addAll(inAgent);
    for (SshAgent.Key key : held) {
      boolean used = done.stream().anyMatch(k -> KeyUtils.compareKeys(k, key.key()));
      if (!used && (!config.identitiesOnly() || isNamed(key.key(), done))) {
        certificatesFor(key.key(), certificates)
            .forEach(c -> ready.add(new Identity(c, agentSigner(key.key()), key.comment())));
        ready.add(new Identity(key.key(), agentSigner(key.key()), key.comment()));
      }
    }
    ready.addAll(onlyFiles);
  }

  private void addFile(
      Path path,
      List<SshAgent.Key> held,
      List<PublicKey> certificates,
      List<PublicKeyIdentity> inAgent,
      List<PublicKeyIdentity> onlyFiles,
      List<PublicKey> done) {
    KeyFile file = new KeyFile(path);
    PublicKey key = file.publicKey();
    boolean exists = Files.isRegularFile(path);
    if (key == null) {
      if (exists) {
        closed.add(file);
      } else if (config.identitiesExplicit()) {
        log.warn("identity file {} is not there", path);
      }
      return;
    }
    if (done.stream().anyMatch(k -> KeyUtils.compareKeys(k, key))) {
      return;
    }
    boolean agentHolds = held.stream().anyMatch(k -> KeyUtils.compareKeys(k.key(), key));
    if (!exists && !agentHolds) {
      return;
    }
    done.add(key);
    Identity.Signer signer = agentHolds ? agentSigner(key) : fileSigner(file, null);
    List<PublicKeyIdentity> list = agentHolds ? inAgent : onlyFiles;
    for (PublicKey certificate : certificatesFor(key, withBeside(file, certificates))) {
      list.add(new Identity(certificate, signer, path.toString()));
    }
    list.add(new Identity(key, signer, path.toString()));
  }

  private static List<PublicKey> withBeside(KeyFile file, List<PublicKey> certificates) {
    PublicKey beside = file.certificate();
    if (beside == null) {
      return certificates;
    }
    List<PublicKey> all = new ArrayList<>(certificates);
    all.add(beside);
    return all;
  }

  private static List<PublicKey> certificatesFor(PublicKey key, List<PublicKey> certificates) {
    return certificates.stream().filter(c -> certifies(c, key)).distinct().toList();
  }

  private static boolean certifies(PublicKey certificate, PublicKey key) {
    return certificate instanceof OpenSshCertificate c
        && KeyUtils.compareKeys(c.getCertPubKey(), key);
  }

  /** Under IdentitiesOnly a certificate in the agent counts as named if its key is. */
  private static boolean isNamed(PublicKey key, List<PublicKey> named) {
    return named.stream().anyMatch(n -> certifies(key, n));
  }

  private static @Nullable SshAgent connectAgent(@Nullable Path socket) {
    if (socket == null) {
      return null;
    }
    try {
      return SshAgent.connect(socket);
    } catch (IOException | RuntimeException e) {
      log.info("the ssh-agent at {} does not answer: {}", socket, e.toString());
      return null;
    }
  }

  private List<SshAgent.Key> agentKeys() {
    if (agent == null) {
      return List.of();
    }
    try {
      return agent.keys();
    } catch (IOException e) {
      log.info("the ssh-agent's keys cannot be had: {}", e.getMessage());
      return List.of();
    }
  }

  private Identity.Signer agentSigner(PublicKey key) {
    return (session, algorithm, data) -> {
      SshAgent holder = agent;
      if (holder == null) {
        throw new IOException("no ssh-agent");
      }
      return holder.sign(key, algorithm, data);
    };
  }

  private Identity.Signer fileSigner(KeyFile file, @Nullable KeyPair loaded) {
    return new Identity.Signer() {
      private @Nullable KeyPair pair = loaded;

      @Override
      public byte[] sign(SessionContext session, String algorithm, byte[] data) throws IOException {
        KeyPair own = pair;
        if (own == null) {
          own = file.load(prompts, config.passwordPrompts(), unlocked);
          pair = own;
        }
        return signWith(session, own, algorithm, data);
      }
    };
  }

  private static byte[] signWith(
      SessionContext session, KeyPair pair, String algorithm, byte[] data) throws IOException {
    NamedFactory<Signature> factory = BuiltinSignatures.fromFactoryName(algorithm);
    if (factory == null) {
      throw new IOException("no signatures of type " + algorithm);
    }
    try {
      Signature signature = factory.create();
      signature.initSigner(session, pair.getPrivate());
      signature.update(session, data);
      return signature.sign(session);
    } catch (Exception e) {
      throw new IOException("a key cannot sign with " + algorithm, e);
    }
  }

  /** How many keys and certificates have been given out. */
  int tried() {
    return tried;
  }

  @Override
  public boolean hasNext() {
    while (ready.isEmpty() && !closed.isEmpty()) {
      KeyFile file = closed.remove();
      try {
        KeyPair pair = file.load(prompts, config.passwordPrompts(), unlocked);
        Identity.Signer signer = fileSigner(file, pair);
        String name = file.file().toString();
        PublicKey certificate = file.certificate();
        if (certificate != null && certifies(certificate, pair.getPublic())) {
          ready.add(new Identity(certificate, signer, name));
        }
        ready.add(new Identity(pair.getPublic(), signer, name));
      } catch (IOException e) {
        log.warn("{}", e.getMessage());
      }
    }
    return !ready.isEmpty();
  }

  @Override
  public PublicKeyIdentity next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    tried++;
    return ready.remove();
  }

  @Override
  public void close() throws IOException {
    if (agent != null) {
      agent.close();
    }
  }
}
