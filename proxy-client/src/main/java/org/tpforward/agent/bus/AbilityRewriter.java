package org.tpforward.agent.bus;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Value;
import org.tpforward.telepathy.Crossing;
import org.tpforward.telepathy.Crossings;

/**
 * Finds abilities in values from the bus and replaces them. What it leaves alone it returns as the
 * same object, so that a caller can tell whether anything changed.
 */
final class AbilityRewriter {
  /** What becomes of one ability. */
  @FunctionalInterface
  interface Replacement {
    /**
     * @param value the ability as it stands, of the property's signature
     * @return what shall stand there; nothing removes the property from its dictionary
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
      case Value.Array array -> {
        List<Value> items = all(array.elements());
        yield items == array.elements() ? array : new Value.Array(array.elementSignature(), items);
      }
      case Value.Struct struct -> {
        List<Value> items = all(struct.fields());
        yield items == struct.fields() ? struct : new Value.Struct(items);
      }
      case Value.Variant variant -> {
        Value inner = inDictionaries(variant.value());
        yield inner == variant.value() ? variant : new Value.Variant(inner);
      }
      case Value.Dict dict -> dictionary(dict, null);
      default -> value;
    };
  }

  /** Replaces abilities in a dictionary whose keys are the properties of one interface. */
  Value inProperties(String interfaceName, Value.Dict properties) {
    return dictionary(properties, interfaceName);
  }

  /** Replaces the value of that one property, a variant; a value of another type stays. */
  Value.Variant property(Crossing.AbilityProperty property, Value.Variant variant) {
    if (!variant.value().signature().equals(property.signature())) {
      return variant;
    }
    return replacement.replace(property, variant.value()).map(Value.Variant::new).orElse(variant);
  }

  private Value.Dict dictionary(Value.Dict dict, @Nullable String interfaceName) {
    if (!dict.keySignature().equals("s")) {
      return dict;
    }
    boolean changed = false;
    List<Value.Entry> entries = new ArrayList<>(dict.entries().size());
    for (Value.Entry entry : dict.entries()) {
      Crossing.AbilityProperty property = propertyOf(entry, interfaceName);
      if (property != null
          && entry.value() instanceof Value.Variant variant
          && variant.value().signature().equals(property.signature())) {
        Optional<Value> value = replacement.replace(property, variant.value());
        changed |= value.isEmpty() || !value.get().equals(variant.value());
        value.ifPresent(v -> entries.add(new Value.Entry(entry.key(), new Value.Variant(v))));
      } else {
        Value value = inDictionaries(entry.value());
        changed |= value != entry.value();
        entries.add(value == entry.value() ? entry : new Value.Entry(entry.key(), value));
      }
    }
    return changed ? new Value.Dict(dict.keySignature(), dict.valueSignature(), entries) : dict;
  }

  private static Crossing.@Nullable AbilityProperty propertyOf(
      Value.Entry entry, @Nullable String interfaceName) {
    if (!(entry.key() instanceof Value.Str key)) {
      return null;
    }
    return Crossings.ability(
        interfaceName == null ? key.value() : interfaceName + "." + key.value());
  }

  private List<Value> all(List<Value> items) {
    List<Value> changed = null;
    for (int i = 0; i < items.size(); i++) {
      Value item = inDictionaries(items.get(i));
      if (item != items.get(i) && changed == null) {
        changed = new ArrayList<>(items);
      }
      if (changed != null) {
        changed.set(i, item);
      }
    }
    return changed == null ? items : changed;
  }
}
