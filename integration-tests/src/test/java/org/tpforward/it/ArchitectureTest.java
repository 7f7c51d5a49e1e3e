package org.tpforward.it;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/architecture.md, "Packages": data walks one way, and no package knows a caller above it. */
class ArchitectureTest {
  /** From the bottom to the top: a package may use those before it. */
  private static final List<String> BOTTOM_UP =
      List.of(
          "org.tpforward.process",
          "org.tpforward.relay",
          "org.tpforward.socket",
          "org.tpforward.dbus",
          "org.tpforward.ssh",
          "org.tpforward.telepathy",
          "org.tpforward.agent.link",
          "org.tpforward.agent.forward",
          "org.tpforward.agent.bus",
          "org.tpforward.agent",
          "org.tpforward.agent.telepathy",
          "org.tpforward.agent.cli",
          "org.tpforward.server.audit",
          "org.tpforward.server.bus",
          "org.tpforward.server.user",
          "org.tpforward.server.channel",
          "org.tpforward.server",
          "org.tpforward.server.cli",
          "org.tpforward.loopback",
          "org.tpforward.harness",
          "org.tpforward.demo",
          "org.tpforward.bench",
          "org.tpforward.bench.micro");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("/jmh_generated/"))
          .importPackages("org.tpforward");

  static Stream<String> packages() {
    return BOTTOM_UP.stream();
  }

  @ParameterizedTest
  @MethodSource("packages")
  void knowsNoCallerAboveIt(String name) {
    int place = BOTTOM_UP.indexOf(name);
    String[] above =
        IntStream.range(place + 1, BOTTOM_UP.size())
            .mapToObj(BOTTOM_UP::get)
            .toArray(String[]::new);
    if (above.length > 0) {
      noClasses()
          .that()
          .resideInAPackage(name)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(above)
          .check(CLASSES);
    }
  }

  @Test
  void everyPackageHasItsPlace() {
    Assertions.assertThat(CLASSES.stream().map(type -> type.getPackageName()).distinct().toList())
        .isSubsetOf(BOTTOM_UP);
  }

  @Test
  void packagesFormNoCircle() {
    slices().matching("org.tpforward.(**)").should().beFreeOfCycles().check(CLASSES);
  }
}
