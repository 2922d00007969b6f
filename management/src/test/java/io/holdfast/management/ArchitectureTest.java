package io.holdfast.management;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.domain.properties.HasOwner;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What the modules may never use of each other: seen from here, because only the wiring knows all of them. */
@AnalyzeClasses(packages = "io.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String TARGET_STATE = "target's session and SCSI state";

    @ArchTest
    static final ArchRule nobody_knows_the_wiring = noClasses()
            .that()
            .resideOutsideOfPackage("io.holdfast.management..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.holdfast.management..");

    @ArchTest
    static final ArchRule the_agent_uses_the_wire_but_not_the_target = noClasses()
            .that()
            .resideInAPackage("io.holdfast.agent..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.holdfast.iscsi", "io.holdfast.scsi..", "io.holdfast.block..")
            .because("the agent must not know the " + TARGET_STATE);

    @ArchTest
    static final ArchRule control_knows_neither_target_nor_agent = noClasses()
            .that()
            .resideInAPackage("io.holdfast.control..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.holdfast.iscsi..",
                    "io.holdfast.scsi..",
                    "io.holdfast.block..",
                    "io.holdfast.agent..",
                    "io.holdfast.linux..");

    @ArchTest
    static final ArchRule the_target_knows_neither_agent_nor_control = noClasses()
            .that()
            .resideInAnyPackage("io.holdfast.iscsi..", "io.holdfast.scsi..", "io.holdfast.block..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.holdfast.agent..", "io.holdfast.control..", "io.holdfast.npiv..");

    @ArchTest
    static final ArchRule native_calls_know_nothing_of_ours = noClasses()
            .that()
            .resideInAPackage("io.holdfast.linux..")
            .should()
            .dependOnClassesThat(describe(
                    "are ours",
                    type -> type.getPackageName().startsWith("io.holdfast.")
                            && !type.getPackageName().startsWith("io.holdfast.linux")));

    @ArchTest
    static final ArchRule addresses_are_values = classes()
            .that()
            .resideInAPackage("io.holdfast.net..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "io.holdfast.net..", "org.jspecify.annotations..");

    @ArchTest
    static final ArchRule worldwide_port_names_are_values = classes()
            .that()
            .resideInAPackage("io.holdfast.npiv..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "io.holdfast.npiv..", "org.jspecify.annotations..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule only_the_wiring_knows_command_line_and_configuration_files = noClasses()
            .that()
            .resideOutsideOfPackage("io.holdfast.management..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("picocli..", "org.tomlj..", "ch.qos.logback..");

    @ArchTest
    static final ArchRule packages_have_no_cycles =
            slices().matching("io.holdfast.(**)").should().beFreeOfCycles();

    /** It truncates the file it opens, whatever it is told. */
    @ArchTest
    static final ArchRule nobody_opens_files_with_netty = noClasses()
            .should()
            .callMethodWhere(JavaCall.Predicates.target(
                    HasOwner.Predicates.With.owner(HasName.Predicates.name("io.netty.channel.unix.FileDescriptor"))));

    @ArchTest
    static final ArchRule nobody_sleeps = noClasses().should().callMethod(Thread.class, "sleep", long.class);
}
