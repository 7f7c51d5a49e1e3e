package org.tpforward.dbus;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Integers in byte arrays, in either byte order, at any position. */
final class Wire {
  private static final VarHandle INT_LE = ints(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT_BE = ints(ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG_LE = longs(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG_BE = longs(ByteOrder.BIG_ENDIAN);

  private Wire() {}

  static int int32(byte[] b, int at, boolean little) {
    return little ? (int) INT_LE.get(b, at) : (int) INT_BE.get(b, at);
  }

  static long uint32(byte[] b, int at, boolean little) {
    return int32(b, at, little) & 0xffff_ffffL;
  }

  static void putInt32(byte[] b, int at, boolean little, int value) {
    if (little) {
      INT_LE.set(b, at, value);
    } else {
      INT_BE.set(b, at, value);
    }
  }

  static int uint16(byte[] b, int at, boolean little) {
    int first = b[at] & 0xff;
    int second = b[at + 1] & 0xff;
    return little ? second << 8 | first : first << 8 | second;
  }

  static long int64(byte[] b, int at, boolean little) {
    return little ? (long) LONG_LE.get(b, at) : (long) LONG_BE.get(b, at);
  }

  static void putInt64(byte[] b, int at, boolean little, long value) {
    if (little) {
      LONG_LE.set(b, at, value);
    } else {
      LONG_BE.set(b, at, value);
    }
  }

  /** The next multiple of {@code alignment}, a power of two. */
  static int align(int position, int alignment) {
    return (position + alignment - 1) & -alignment;
  }

  private static VarHandle ints(ByteOrder order) {
    return MethodHandles.byteArrayViewVarHandle(int[].class, order);
  }

  private static VarHandle longs(ByteOrder order) {
    return MethodHandles.byteArrayViewVarHandle(long[].class, order);
  }
}
