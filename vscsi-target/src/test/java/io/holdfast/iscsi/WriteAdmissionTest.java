package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WriteAdmissionTest {
    private static final WriteAdmission.Key KEY = new WriteAdmission.Key("iqn.client", "iqn.target");

    private final WriteAdmission admission = new WriteAdmission();
    private final List<String> log = new ArrayList<>();

    private final class Session implements WriteAdmission.Member {
        private final String name;
        private final long isid;
        private int group = 1;

        Session(String name, long isid) {
            this.name = name;
            this.isid = isid;
        }

        @Override
        public long isid() {
            return isid;
        }

        @Override
        public int portalGroupTag() {
            return group;
        }

        @Override
        public void settle(boolean reinstated) {
            log.add((reinstated ? "end " : "ask ") + name);
        }

        @Override
        public void admitted() {
            log.add("admit " + name);
        }
    }

    private final Session first = new Session("first", 1);
    private final Session second = new Session("second", 2);
    private final Session third = new Session("third", 3);

    private List<String> heard() {
        List<String> all = List.copyOf(log);
        log.clear();
        return all;
    }

    @Test
    void shouldAdmitTheOnlySessionAtOnce() {
        admission.join(KEY, first);
        assertThat(heard()).containsExactly("admit first");
    }

    @Test
    void shouldAskTheOlderSessionAndAdmitTheNewerWhenItHasLeft() {
        admission.join(KEY, first);
        heard();
        admission.join(KEY, second);
        assertThat(heard()).containsExactly("ask first");
        admission.left(KEY, first);
        assertThat(heard()).containsExactly("admit second");
    }

    @Test
    void shouldAdmitTheNewerWhenTheOlderProvesToBeInUse() {
        admission.join(KEY, first);
        admission.join(KEY, second);
        heard();
        admission.settled(first);
        assertThat(heard()).containsExactly("admit second");
        admission.left(KEY, first);
        assertThat(heard()).as("admitted once").isEmpty();
    }

    @Test
    void shouldEndTheOlderSessionOfTheSameInitiatorPort() {
        admission.join(KEY, first);
        heard();
        admission.join(KEY, new Session("reborn", 1));
        assertThat(heard()).containsExactly("end first");
        admission.left(KEY, first);
        assertThat(heard()).containsExactly("admit reborn");
    }

    @Test
    void shouldAdmitTheThirdGenerationOnlyWhenBothOlderOnesAreSettled() {
        admission.join(KEY, first);
        admission.join(KEY, second);
        heard();
        admission.join(KEY, third);
        assertThat(heard()).containsExactly("ask first", "ask second");
        admission.left(KEY, second);
        assertThat(heard()).as("the first may still write").isEmpty();
        admission.left(KEY, first);
        assertThat(heard()).containsExactly("admit third");
    }

    @Test
    void shouldAdmitBothThatWaitForTheSameSession() {
        admission.join(KEY, first);
        admission.join(KEY, second);
        admission.join(KEY, third);
        heard();
        admission.left(KEY, first);
        assertThat(heard()).containsExactly("admit second");
        admission.settled(second);
        assertThat(heard()).containsExactly("admit third");
    }

    @Test
    void shouldForgetASessionThatLeavesWhileItWaits() {
        admission.join(KEY, first);
        admission.join(KEY, second);
        heard();
        admission.left(KEY, second);
        admission.left(KEY, first);
        assertThat(heard()).isEmpty();
        assertThat(admission.isEmpty()).isTrue();
        admission.join(KEY, third);
        assertThat(heard()).containsExactly("admit third");
    }

    @Test
    void shouldNotMakeInitiatorsOrTargetsWaitForEachOther() {
        admission.join(KEY, first);
        admission.join(new WriteAdmission.Key("iqn.client", "iqn.other"), second);
        admission.join(new WriteAdmission.Key("iqn.neighbour", "iqn.target"), third);
        assertThat(heard()).containsExactly("admit first", "admit second", "admit third");
        assertThat(admission.isEmpty()).isFalse();
    }

    @Test
    void shouldTakeNoNoticeOfASessionThatNobodyWaitsFor() {
        admission.settled(first);
        admission.left(KEY, first);
        assertThat(heard()).isEmpty();
    }

    @Test
    void shouldNotEndASessionOfTheSameInitiatorPortAtAnotherTargetPort() {
        Session elsewhere = new Session("elsewhere", 1);
        elsewhere.group = 2;
        admission.join(KEY, first);
        heard();
        admission.join(KEY, elsewhere);
        assertThat(heard()).containsExactly("ask first");
    }
}
