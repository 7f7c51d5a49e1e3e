package org.tpforward.loopback;

import static org.tpforward.loopback.Names.FILE_TRANSFER;

import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.freedesktop.dbus.types.UInt64;
import org.freedesktop.dbus.types.Variant;

/**
 * What a file is, as the sender describes it.
 *
 * @param size in bytes
 * @param date seconds since 1970; 0 when unknown
 */
record FileProperties(
    String contentType,
    String filename,
    long size,
    long contentHashType,
    String contentHash,
    String description,
    long date,
    String uri) {
  /** The names that a request may hold. */
  static final List<String> REQUESTABLE =
      List.of(
          "ContentType",
          "Filename",
          "Size",
          "ContentHashType",
          "ContentHash",
          "Description",
          "Date",
          "URI");

  /**
   * Reads a request.
   *
   * @throws Fault InvalidArgument if Filename, ContentType or Size is missing, as gabble has it
   */
  static FileProperties of(Map<String, Object> request) throws Fault {
    return new FileProperties(
        text(request, "ContentType", true),
        text(request, "Filename", true),
        number(request, "Size", true),
        number(request, "ContentHashType", false),
        text(request, "ContentHash", false),
        text(request, "Description", false),
        number(request, "Date", false),
        text(request, "URI", false));
  }

  private static String text(Map<String, Object> request, String name, boolean needed)
      throws Fault {
    Object value = request.get(FILE_TRANSFER + "." + name);
    if (value instanceof String string && !(needed && string.isEmpty())) {
      return string;
    }
    if (value != null || needed) {
      throw Fault.invalidArgument(name + " must be a string");
    }
    return "";
  }

  private static long number(Map<String, Object> request, String name, boolean needed)
      throws Fault {
    Object value = request.get(FILE_TRANSFER + "." + name);
    if (value instanceof UInt64 big && big.value().compareTo(BigInteger.valueOf(1L << 62)) > 0) {
      throw Fault.invalidArgument(name + " is too large");
    }
    if (value instanceof Number number && number.longValue() >= 0) {
      return number.longValue();
    }
    if (value != null || needed) {
      throw Fault.invalidArgument(name + " must be a number");
    }
    return 0;
  }

  /** The same for the bus, without URI, which may change. */
  Map<String, Variant<?>> toVariants() {
    Map<String, Variant<?>> properties = new LinkedHashMap<>();
    properties.put("ContentType", Values.variant(contentType, "s"));
    properties.put("Filename", Values.variant(filename, "s"));
    properties.put("Size", Values.variant(Values.t(size), "t"));
    properties.put("ContentHashType", Values.variant(Values.u(contentHashType), "u"));
    properties.put("ContentHash", Values.variant(contentHash, "s"));
    properties.put("Description", Values.variant(description, "s"));
    properties.put("Date", Values.variant(date, "x"));
    return properties;
  }
}
