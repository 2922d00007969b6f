package io.holdfast.drills;

/** Whether other drills were played meanwhile: then the machine was busy with them, and figures say little. */
enum Company {
    ALONE,
    TOGETHER
}
