package org.tpforward.dbus;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The body of a message: values, marshalled one after the other (D-Bus specification,
 * "Marshaling"). What {@link #decode} accepts, {@link #encode} writes again byte for byte.
 */
public final class Body {
  private Body() {}

  /**
   * Reads a body strictly: padding must be zero, strings UTF-8, booleans 0 or 1, every array filled
   * exactly, nothing left over; arrays of at most 64 MiB, values nested at most 64 deep. Takes
   * memory in proportion to {@code body} (some 20 times at worst, for arrays of tiny values).
   *
   * @param signature of the header
   * @param order of the header
   * @throws ProtocolException saying what is wrong at which byte of the body
   */
  public static List<Value> decode(String signature, ByteOrder order, byte[] body)
      throws ProtocolException {
    String problem = Type.problem(signature);
    if (problem != null) {
      throw new ProtocolException(problem);
    }
    boolean little = order == ByteOrder.LITTLE_ENDIAN;
    Decoder decoder = new Decoder(body, 0, body.length, little, "body");
    List<Value> values = new ArrayList<>();
    for (Type type : Type.parse(signature)) {
      values.add(decoder.value(type, 0));
    }
    if (!decoder.atEnd()) {
      throw decoder.error((body.length - decoder.position()) + " bytes follow the last value");
    }
    return List.copyOf(values);
  }

  /**
   * Writes a body.
   *
   * @throws IllegalArgumentException if it is over a limit of the specification: 128 MiB, arrays of
   *     64 MiB, a signature of 255 bytes, nesting of 64
   */
  public static byte[] encode(ByteOrder order, List<Value> values) {
    String problem = Type.problem(signature(values));
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    Encoder encoder = new Encoder(order == ByteOrder.LITTLE_ENDIAN);
    for (Value value : values) {
      encoder.value(value, 0);
    }
    return encoder.toArray();
  }

  /** The signature that the header of a body with these values has. */
  public static String signature(List<Value> values) {
    StringBuilder signature = new StringBuilder();
    for (Value value : values) {
      signature.append(value.signature());
    }
    return signature.toString();
  }
}
