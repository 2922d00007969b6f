package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StartFailureTest {
    @Test
    void shouldSayInOneLineHowToGetANativeLibraryLoaded() {
        assertThat(StartFailure.inWords(new UnsatisfiedLinkError("/tmp/x.so: failed to map\n\tat somewhere")))
                .startsWith("a native library cannot be loaded (/tmp/x.so: failed to map); ")
                .contains("HOLDFAST_JAVA_OPTS=-Djava.io.tmpdir=")
                .hasLineCount(1);
    }

    @Test
    void shouldNameAFailureThatSaysNothing() {
        assertThat(StartFailure.inWords(new IllegalStateException())).isEqualTo("cannot start: IllegalStateException");
    }
}
