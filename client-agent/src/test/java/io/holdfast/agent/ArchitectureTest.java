package io.holdfast.agent;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.net.Spans;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private final JavaClasses agent = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.holdfast.agent");

    @Test
    void shouldUseNothingOfTheTargetButItsWire() {
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.agent..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.holdfast.scsi..", "io.holdfast.block..", "io.holdfast.iscsi")
                .check(agent);
    }

    @Test
    void shouldKeepTheFreezeMachineFreeOfChannelsThreadsAndClocks() {
        classes()
                .that()
                .resideInAPackage("io.holdfast.agent.freeze")
                .and()
                .haveNameNotMatching(".*\\.Record(Store|Batch)(\\$.*)?")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                                "io.holdfast.agent.freeze",
                                "io.holdfast.control",
                                "java.lang..",
                                "java.util",
                                "java.util.function",
                                "java.util.stream",
                                "org.jspecify..")
                        // Words for a number.
                        .or(type(Spans.class)))
                .check(agent);
    }

    @Test
    void shouldKeepQmpPortalAndFreezeApart() {
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.agent.qmp")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.holdfast.agent.portal", "io.holdfast.agent.freeze", "io.holdfast.control")
                .check(agent);
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.agent.portal")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.holdfast.agent.qmp", "io.holdfast.agent.freeze", "io.holdfast.agent.watch")
                .check(agent);
    }
}
