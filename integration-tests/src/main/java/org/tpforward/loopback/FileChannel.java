package org.tpforward.loopback;

import static org.tpforward.loopback.Names.FILE_TRANSFER;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.freedesktop.dbus.types.Variant;

/**
 * One end of a file transfer on the bus. Its state is guarded by its {@link FileTransfer}, which
 * changes it; signals go out in the order of the changes.
 */
final class FileChannel extends Channel {
  /** FileTransfer's {@code File_Transfer_State}. */
  enum State {
    NONE(0),
    PENDING(1),
    ACCEPTED(2),
    OPEN(3),
    COMPLETED(4),
    CANCELLED(5);

    private final int code;

    State(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }

    boolean isEnd() {
      return this == COMPLETED || this == CANCELLED;
    }
  }

  /** {@code File_Transfer_State_Change_Reason}. */
  enum Reason {
    NONE(0),
    REQUESTED(1),
    LOCAL_STOPPED(2),
    REMOTE_STOPPED(3),
    LOCAL_ERROR(4),
    REMOTE_ERROR(5);

    private final int code;

    Reason(int code) {
      this.code = code;
    }
  }

  private static final long PROGRESS_EVERY = TimeUnit.MILLISECONDS.toNanos(100);

  private final Manager manager;
  private final FileTransfer transfer;
  private final FileProperties file;

  private volatile State state = State.PENDING;
  private volatile long transferred;
  private volatile long offset;
  private volatile String uri;
  private long progressAt;

  FileChannel(
      Manager manager,
      Connection connection,
      Identity identity,
      FileTransfer transfer,
      FileProperties file) {
    super(manager, connection, identity, "FileTransfer");
    this.manager = manager;
    this.transfer = transfer;
    this.file = file;
    this.uri = identity.requested() ? file.uri() : "";
  }

  @Override
  void addTo(BusObject object) {
    object.method(FILE_TRANSFER, "AcceptFile", "uuvt", "v", call -> transfer.accept(this, call));
    object.method(FILE_TRANSFER, "ProvideFile", "uuv", "v", call -> transfer.provide(this, call));
    object.signal(FILE_TRANSFER, "FileTransferStateChanged", "uu");
    object.signal(FILE_TRANSFER, "TransferredBytesChanged", "t");
    object.signal(FILE_TRANSFER, "InitialOffsetDefined", "t");
    object.signal(FILE_TRANSFER, "URIDefined", "s");
    typeProperties()
        .forEach((name, value) ->
            object.constant(FILE_TRANSFER, name, value.getSig(), value.getValue()));
    object.computed(FILE_TRANSFER, "State", "u", () -> Values.u(state.code));
    object.computed(FILE_TRANSFER, "TransferredBytes", "t", () -> Values.t(transferred));
    object.computed(FILE_TRANSFER, "InitialOffset", "t", () -> Values.t(offset));
    object.writable(FILE_TRANSFER, "URI", "s", () -> uri, this::setUri);
  }

  /** The receiving client says where it stores the file. */
  private void setUri(Object value) throws Fault {
    if (identity().requested() || state != State.PENDING) {
      throw Fault.invalidArgument("URI can be set before the file is accepted only");
    }
    uri = value.toString();
    emit(FILE_TRANSFER, "URIDefined", "s", uri);
  }

  @Override
  Map<String, Variant<?>> typeProperties() {
    Map<String, Variant<?>> properties = file.toVariants();
    List<org.tpforward.telepathy.SocketKind> kinds = manager.profile().files();
    properties.put("AvailableSocketTypes", Values.variant(Profile.abilities(kinds), "a{uau}"));
    return properties;
  }

  /** The other end is announced as soon as this one is. */
  @Override
  void opened() {
    super.opened();
    if (identity().requested()) {
      transfer.announceToPeer();
    }
  }

  @Override
  void ending() {
    transfer.closing(this);
  }

  State state() {
    return state;
  }

  void setState(State now, Reason reason) {
    state = now;
    emit(
        FILE_TRANSFER, "FileTransferStateChanged", "uu", Values.u(now.code), Values.u(reason.code));
  }

  void setOffset(long now) {
    offset = now;
    emit(FILE_TRANSFER, "InitialOffsetDefined", "t", Values.t(now));
  }

  /**
   * Says how far it is, but not too often.
   *
   * @param now bytes since the initial offset
   * @param last whether it must be said in any case
   */
  void setTransferred(long now, boolean last) {
    transferred = now;
    long time = System.nanoTime();
    if (last || time - progressAt >= PROGRESS_EVERY) {
      progressAt = time;
      emit(FILE_TRANSFER, "TransferredBytesChanged", "t", Values.t(now));
    }
  }
}
