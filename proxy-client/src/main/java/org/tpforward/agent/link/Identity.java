package org.tpforward.agent.link;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.Map;
import org.apache.sshd.client.auth.pubkey.PublicKeyIdentity;
import org.apache.sshd.common.session.SessionContext;

/**
 * A public key or certificate that is offered to the server, and who signs for it. The private key
 * is asked for only once the server has accepted the public one.
 *
 * @param shown what is offered
 * @param signer makes the signature
 * @param name for messages
 */
record Identity(PublicKey shown, Signer signer, String name) implements PublicKeyIdentity {
  private static final String CERTIFICATE = "-cert-v01@openssh.com";

  /** The server would take the key, but it does not sign: the next one is tried. */
  static final class UnusableException extends IOException {
    private static final long serialVersionUID = 1L;

    UnusableException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Signs with the algorithm of a plain key. */
  interface Signer {
    byte[] sign(SessionContext session, String algorithm, byte[] data)
        throws IOException, GeneralSecurityException;
  }

  @Override
  public KeyPair getKeyIdentity() {
    return new KeyPair(shown, null);
  }

  @Override
  public Map.Entry<String, byte[]> sign(SessionContext session, String algorithm, byte[] data)
      throws UnusableException {
    try {
      return Map.entry(algorithm, signer.sign(session, plain(algorithm), data));
    } catch (IOException | GeneralSecurityException e) {
      throw new UnusableException(String.valueOf(e.getMessage()), e);
    }
  }

  /** The signature algorithm inside a certificate's: that of its key. */
  static String plain(String algorithm) {
    return algorithm.endsWith(CERTIFICATE) && !algorithm.startsWith("sk-")
        ? algorithm.substring(0, algorithm.length() - CERTIFICATE.length())
        : algorithm.replace(CERTIFICATE, "@openssh.com");
  }
}
