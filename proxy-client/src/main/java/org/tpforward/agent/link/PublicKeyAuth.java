package org.tpforward.agent.link;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.sshd.client.auth.pubkey.PublicKeyIdentity;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKey;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.signature.Signature;
import org.apache.sshd.common.signature.SignatureFactoriesManager;
import org.apache.sshd.common.util.buffer.Buffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The method publickey (RFC 4252, section 7) over {@link Identities}; for one connection. */
final class PublicKeyAuth extends UserAuthPublicKeyFactory {
  private static final Logger log = LoggerFactory.getLogger(PublicKeyAuth.class);

  private final SshConfig config;
  private final Prompts prompts;
  private final Map<Path, KeyPair> unlocked;
  private volatile int shown;
  private volatile @Nullable String unusable;

  /**
   * Serves one connection.
   *
   * @param unlocked keys whose passphrase was given before; further ones are added
   * @param algorithms the signature algorithms that may be used, in order
   */
  PublicKeyAuth(
      SshConfig config,
      Prompts prompts,
      Map<Path, KeyPair> unlocked,
      List<NamedFactory<Signature>> algorithms) {
    super(algorithms);
    this.config = config;
    this.prompts = prompts;
    this.unlocked = unlocked;
  }

  /** How many keys and certificates the server has been shown. */
  int shown() {
    return shown;
  }

  /** Why a key that the server would have taken did not sign, or null. */
  @Nullable String unusable() {
    return unusable;
  }

  @Override
  public UserAuthPublicKey createUserAuth(ClientSession session) {
    return new Method(getSignatureFactories());
  }

  /** Called by the thread that reads the connection, which waits for the user's passphrase. */
  private final class Method extends UserAuthPublicKey {
    Method(List<NamedFactory<Signature>> algorithms) {
      super(algorithms);
    }

    @Override
    protected Iterator<PublicKeyIdentity> createPublicKeyIterator(
        ClientSession session, SignatureFactoriesManager manager) {
      return new Counting(new Identities(config, prompts, unlocked));
    }

    @Override
    protected boolean processAuthDataRequest(ClientSession session, String service, Buffer buffer)
        throws Exception {
      try {
        return super.processAuthDataRequest(session, service, buffer);
      } catch (Identity.UnusableException e) {
        PublicKeyAuth.log.warn("{}", e.getMessage());
        unusable = e.getMessage();
        // Not this key with its next algorithm, but the next key.
        current = null;
        currentAlgorithms.clear();
        chosenAlgorithm = null;
        return false;
      }
    }
  }

  private final class Counting implements Iterator<PublicKeyIdentity>, Closeable {
    private final Identities identities;

    Counting(Identities identities) {
      this.identities = identities;
    }

    @Override
    public boolean hasNext() {
      return identities.hasNext();
    }

    @Override
    public PublicKeyIdentity next() {
      PublicKeyIdentity identity = identities.next();
      shown = identities.tried();
      return identity;
    }

    @Override
    public void close() throws IOException {
      identities.close();
    }
  }
}
