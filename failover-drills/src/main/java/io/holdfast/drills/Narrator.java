package io.holdfast.drills;

/** Tells people what the drill is doing while it does it. */
interface Narrator {
    /**
     * @param who one word: {@code server}
     * @param what the rest of the line
     */
    void say(String who, String what);
}
