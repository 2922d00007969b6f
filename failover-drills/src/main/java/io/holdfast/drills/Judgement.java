package io.holdfast.drills;

/** What fails a drill. */
enum Judgement {
    /** All there is to see, such as one freeze too many: for a machine that does nothing else. */
    EXACT,
    /** What a guest or its data suffered, and how it stands in the end: a busy machine may be taken for a server that is lost. */
    HARM
}
