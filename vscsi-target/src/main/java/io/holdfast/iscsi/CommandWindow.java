package io.holdfast.iscsi;

/**
 * The order and number of commands of a session (RFC 7143 §4.2.2.1). Serial numbers are compared in 32-bit serial
 * arithmetic (RFC 1982). A value-like core: no channel, no clock; owned by the session's thread.
 *
 * <p>The window is what the server can hold: it moves on when a command ends, so an initiator never has more than
 * {@code limit} commands here.
 */
final class CommandWindow {
    /** What becomes of a numbered command. */
    enum Verdict {
        /** It is the next one. */
        NEXT,
        /** RFC 7143 §4.2.2.1: outside the window, or seen before: silently ignored. */
        IGNORE,
        /** In the window, but one before it is missing. */
        EARLY
    }

    private int expCmdSn;
    private int maxCmdSn;

    /**
     * @param firstCmdSn the CmdSN of the leading Login Request, which the first command carries again
     * @param limit how many commands may be here at the same time
     */
    CommandWindow(int firstCmdSn, int limit) {
        this.expCmdSn = firstCmdSn;
        this.maxCmdSn = firstCmdSn + limit - 1;
    }

    int expCmdSn() {
        return expCmdSn;
    }

    int maxCmdSn() {
        return maxCmdSn;
    }

    /** Judges a command that is not immediate, and changes nothing. */
    Verdict judge(int cmdSn) {
        if (cmdSn == expCmdSn && maxCmdSn - cmdSn >= 0) {
            return Verdict.NEXT;
        }
        return cmdSn - expCmdSn > 0 && maxCmdSn - cmdSn >= 0 ? Verdict.EARLY : Verdict.IGNORE;
    }

    /** The next command is here: the one after it is the next. */
    void advance() {
        expCmdSn++;
    }

    /** Both: judges a command and, if it is the next one, moves ExpCmdSN past it. */
    Verdict accept(int cmdSn) {
        Verdict verdict = judge(cmdSn);
        if (verdict == Verdict.NEXT) {
            advance();
        }
        return verdict;
    }

    /** A numbered command has ended and left its place to another. */
    void ended() {
        maxCmdSn++;
    }
}
