package io.holdfast.drills;

import java.util.ArrayList;
import java.util.List;

/**
 * A machine that programs are started on: this one, or a network namespace of it.
 *
 * @param address where others reach it
 * @param enter what stands before a command so that it runs there; empty for this machine
 */
record Host(String address, List<String> enter) {
    static final Host LOOPBACK = new Host("127.0.0.1", List.of());

    Host {
        enter = List.copyOf(enter);
    }

    List<String> command(List<String> command) {
        List<String> there = new ArrayList<>(enter);
        there.addAll(command);
        return there;
    }
}
