package org.tpforward.dbus;

/** The lengths that nothing from outside may exceed. Those of the specification, unless noted. */
final class Limits {
  /** "Maximum length of a message, including header, header alignment padding, and body." */
  static final int MESSAGE = 128 << 20;

  /** "Maximum length of an array in bytes." */
  static final int ARRAY = 64 << 20;

  /**
   * The header fields of one message in bytes. The specification would allow {@link #ARRAY}; but a
   * header is held in memory while a body is streamed, and names are at most 255 bytes, so only an
   * object path (or an unknown field) can be long at all.
   */
  static final int HEADER_FIELDS = 1 << 20;

  /** Bytes of a bus, interface, member or error name. */
  static final int NAME = 255;

  /** Bytes of a signature. */
  static final int SIGNATURE = 255;

  /** How deep arrays, and separately structs, may nest within one signature. */
  static final int NESTING = 32;

  /**
   * How deep containers of all kinds, variants and dict entries included, may nest in a message.
   */
  static final int TOTAL_NESTING = 64;

  private Limits() {}
}
