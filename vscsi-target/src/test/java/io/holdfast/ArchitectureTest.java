package io.holdfast;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
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
import java.util.Arrays;
import java.util.stream.Stream;

/** What the packages of the target may use, and what they never may. */
@AnalyzeClasses(packages = "io.holdfast", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String BLOCK = "io.holdfast.block..";
    private static final String SCSI = "io.holdfast.scsi..";
    private static final String ISCSI = "io.holdfast.iscsi..";
    private static final String WIRE = "io.holdfast.iscsi.wire..";
    private static final String LINUX = "io.holdfast.linux..";
    private static final String NETTY = "io.netty..";
    private static final String[] BASICS = {
        "java..", "org.jspecify.annotations..", "org.slf4j..", "org.jctools..", "com.google.errorprone.annotations.."
    };

    private static ArchRule only(String what, String... alsoAllowed) {
        String[] allowed = Stream.of(BASICS, alsoAllowed, new String[] {what})
                .flatMap(Arrays::stream)
                .toArray(String[]::new);
        return classes()
                .that()
                .resideInAPackage(what)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(allowed)
                        .or(describe(
                                "are primitive arrays",
                                type -> type.getBaseComponentType().isPrimitive())));
    }

    @ArchTest
    static final ArchRule block_knows_bytes_offsets_and_linux = only(BLOCK, LINUX);

    @ArchTest
    static final ArchRule scsi_knows_block_and_neither_a_transport_nor_linux = only(SCSI, BLOCK);

    @ArchTest
    static final ArchRule the_wire_knows_neither_sessions_nor_scsi = only(WIRE, NETTY);

    @ArchTest
    static final ArchRule iscsi_knows_scsi_block_and_netty_but_not_linux =
            only(ISCSI, SCSI, BLOCK, NETTY, "io.holdfast.net..");

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
    static final ArchRule nobody_prints =
            noClasses().should().accessField(System.class, "out").orShould().accessField(System.class, "err");

    @ArchTest
    static final ArchRule nobody_uses_what_the_jdk_does_not_offer =
            noClasses().should().dependOnClassesThat().resideInAnyPackage("sun..", "jdk.internal..", "com.sun..");

    @ArchTest
    static final ArchRule nobody_sleeps = noClasses()
            .should()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(Thread.class, "sleep", long.class, int.class);
}
