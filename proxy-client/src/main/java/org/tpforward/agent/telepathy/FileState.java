package org.tpforward.agent.telepathy;

import org.tpforward.telepathy.Names;

/** {@code File_Transfer_State}, and {@code File_Transfer_State_Change_Reason}, of 0.27. */
enum FileState {
  NONE,
  PENDING,
  ACCEPTED,
  OPEN,
  COMPLETED,
  CANCELLED;

  static final String INTERFACE = Names.FILE_TRANSFER;

  private static final int LOCAL_STOPPED = 2;
  private static final int REMOTE_STOPPED = 3;
  private static final int LOCAL_ERROR = 4;
  private static final int REMOTE_ERROR = 5;

  /** The state with that number; {@link #NONE} if the specification has none. */
  static FileState of(long code) {
    return code > 0 && code < values().length ? values()[(int) code] : NONE;
  }

  /** Whether nothing follows. */
  boolean isEnd() {
    return this == COMPLETED || this == CANCELLED;
  }

  /** Why a transfer was cancelled. */
  static String reason(long code) {
    return switch ((int) code) {
      case LOCAL_STOPPED -> "it was stopped at this end";
      case REMOTE_STOPPED -> "the other side stopped it";
      case LOCAL_ERROR -> "the connection manager reports an error at this end";
      case REMOTE_ERROR -> "the connection manager reports an error at the other side";
      default -> "it was cancelled";
    };
  }
}
