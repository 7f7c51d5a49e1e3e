package org.tpforward.ssh;

import java.io.IOException;
import java.util.function.BiConsumer;
import org.apache.sshd.common.kex.extension.DefaultClientKexExtensionHandler;
import org.apache.sshd.common.kex.extension.DefaultServerKexExtensionHandler;
import org.apache.sshd.common.kex.extension.KexExtensionHandler;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;

/** Puts an {@link Announcement} into MINA's SSH_MSG_EXT_INFO, and takes it out. */
final class Extensions {
  private Extensions() {}

  /** A client's: keeps what a server announces. */
  static KexExtensionHandler reader() {
    return new DefaultClientKexExtensionHandler() {
      @Override
      public boolean handleKexExtensionRequest(
          Session session, int index, int count, String name, byte[] data) throws IOException {
        Announcement.received(session, name, data);
        return super.handleKexExtensionRequest(session, index, count, name, data);
      }
    };
  }

  /**
   * A server's: announces, to clients that have said that they read such messages. MINA writes of
   * an extension that it does not know the value only, without the name.
   */
  static KexExtensionHandler writer(Announcement announcement) {
    return new DefaultServerKexExtensionHandler() {
      @Override
      public void collectExtensions(
          Session session, KexPhase phase, BiConsumer<String, Object> marshaller) {
        super.collectExtensions(session, phase, marshaller);
        if (phase == KexPhase.NEWKEYS) {
          announcement
              .extensions()
              .forEach((name, value) -> marshaller.accept(name, named(name, value)));
        }
      }
    };
  }

  /** {@code string name, string value} (RFC 8308, section 2.3), which MINA copies as it is. */
  private static Buffer named(String name, byte[] value) {
    Buffer extension = new ByteArrayBuffer();
    extension.putString(name);
    extension.putBytes(value);
    return extension;
  }
}
