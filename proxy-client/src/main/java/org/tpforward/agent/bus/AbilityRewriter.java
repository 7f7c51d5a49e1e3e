package org.tpforward.agent.bus;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;

/** Finds abilities in values from the bus and replaces them; everything else stays equal. */
final class AbilityRewriter {
  /** What becomes of one ability. */
  @FunctionalInterface
  interface Replacement {
    /**
     * Says what shall stand in the place of {@code value}; nothing removes the property from its
     * dictionary.
     *
     * @param value the ability as it stands, of the property's signature
     */
    Optional<Value> replace(Crossing.AbilityProperty property, Value value);
  }

  private final Replacement replacement;

  AbilityRewriter(Replacement replacement) {
    this.replacement = replacement;
  }

  /** Replaces abilities under their qualified names in all dictionaries within {@code value}. */
  Value inDictionaries(Value value) {
    return switch (value) {
      case Value.Array array -> new Value.Array(array.elementSignature(), all(array.elements()));
      case Value.Struct struct -> new Value.Struct(all(struct.fields()));
      case Value.Variant variant -> new Value.Variant(inDictionaries(variant.value()));
      case Value.Dict dict -> dictionary(dict, null);
      default -> value;
    };
  }

  /** Replaces abilities in a dictionary whose keys are the properties of one interface. */
  Value.Dict inProperties(String interfaceName, Value.Dict properties) {
    return dictionary(properties, interfaceName);
  }

  /** Replaces the value of that one property, a variant; a value of another type stays. */
  Value.Variant property(Crossing.AbilityProperty property, Value.Variant variant) {
    return isOfType(property, variant)
        ? replacement.replace(property, variant.value()).map(Value.Variant::new).orElse(variant)
        : variant;
  }

  private Value.Dict dictionary(Value.Dict dict, @Nullable String interfaceName) {
    List<Value.Entry> entries = new ArrayList<>(dict.entries().size());
    for (Value.Entry entry : dict.entries()) {
      Crossing.AbilityProperty property = propertyOf(entry, interfaceName);
      if (property != null
          && entry.value() instanceof Value.Variant variant
          && isOfType(property, variant)) {
        replacement
            .replace(property, variant.value())
            .ifPresent(v -> entries.add(new Value.Entry(entry.key(), new Value.Variant(v))));
      } else {
        entries.add(new Value.Entry(entry.key(), inDictionaries(entry.value())));
      }
    }
    return new Value.Dict(dict.keySignature(), dict.valueSignature(), entries);
  }

  private static boolean isOfType(Crossing.AbilityProperty property, Value.Variant variant) {
    return variant.value().signature().equals(property.signature());
  }

  private static Crossing.@Nullable AbilityProperty propertyOf(
      Value.Entry entry, @Nullable String interfaceName) {
    if (!(entry.key() instanceof Value.Str key)) {
      return null;
    }
    return Crossings.ability(
        interfaceName == null ? key.value() : interfaceName + "." + key.value());
  }

  private List<Value> all(List<Value> values) {
    return values.stream().map(this::inDictionaries).toList();
  }
}
