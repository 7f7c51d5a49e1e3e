package org.tpforward.ssh;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.cipher.BaseCipher;
import org.apache.sshd.common.util.security.SecurityUtils;

/**
 * AES-GCM in SSH (RFC 5647). MINA has it too, and decrypts in place; but for that the JDK allocates
 * an array as long as the one it is given each time, here MINA's whole receive buffer. This one
 * decrypts into an array that it keeps, and copies back.
 */
final class AesGcm extends BaseCipher {
  private static final int IV = 12;
  private static final int TAG = 16;
  private static final int BLOCK = 16;

  /** Of the nonce: 4 bytes fixed, 8 bytes the invocation counter. */
  private static final int COUNTER = 4;

  private final String transformation;
  private byte[] nonce = {};
  private long firstCount;
  private SecretKey key = new SecretKeySpec(new byte[BLOCK], "AES");
  private boolean begun;
  private byte[] plain = {};

  private AesGcm(int keyBytes, String transformation) {
    super(IV, TAG, keyBytes, "AES", keyBytes * Byte.SIZE, transformation, BLOCK);
    this.transformation = transformation;
  }

  /** Under OpenSSH's name for it: {@code aes128-gcm@openssh.com} or {@code aes256-…}. */
  static NamedFactory<org.apache.sshd.common.cipher.Cipher> factory(int keyBits) {
    return new NamedFactory<>() {
      @Override
      public String getName() {
        return "aes" + keyBits + "-gcm@openssh.com";
      }

      @Override
      public org.apache.sshd.common.cipher.Cipher create() {
        return new AesGcm(keyBits / Byte.SIZE, "AES/GCM/NoPadding");
      }
    };
  }

  @Override
  protected Cipher createCipherInstance(Mode mode, byte[] key, byte[] iv)
      throws GeneralSecurityException {
    this.mode = mode;
    this.key = new SecretKeySpec(key, "AES");
    nonce = iv.clone();
    firstCount = ByteBuffer.wrap(nonce).getLong(COUNTER);
    return SecurityUtils.getCipher(transformation);
  }

  /** The cipher, set up for the next packet: its length comes as associated data, if any. */
  private Cipher begin() throws GeneralSecurityException {
    Cipher cipher = getCipherInstance();
    if (!begun) {
      int direction = mode == Mode.Encrypt ? Cipher.ENCRYPT_MODE : Cipher.DECRYPT_MODE;
      cipher.init(direction, key, new GCMParameterSpec(TAG * Byte.SIZE, nonce));
      begun = true;
    }
    return cipher;
  }

  @Override
  public void updateAAD(byte[] data, int offset, int length) throws GeneralSecurityException {
    begin().updateAAD(data, offset, length);
  }

  /** One packet; the tag is behind it, or room for one. */
  @Override
  public void update(byte[] data, int offset, int length) throws GeneralSecurityException {
    Cipher cipher = begin();
    if (mode == Mode.Encrypt) {
      cipher.doFinal(data, offset, length, data, offset);
    } else {
      int sealed = length + TAG;
      if (plain.length < sealed) {
        plain = new byte[Math.max(sealed, 2 * plain.length)];
      }
      int count = cipher.doFinal(data, offset, sealed, plain, 0);
      System.arraycopy(plain, 0, data, offset, count);
    }
    begun = false;
    ByteBuffer counted = ByteBuffer.wrap(nonce);
    long next = counted.getLong(COUNTER) + 1;
    if (next == firstCount) {
      throw new GeneralSecurityException("a nonce would be used twice");
    }
    counted.putLong(COUNTER, next);
  }
}
