package io.holdfast.npiv;

/** Why a login is denied; of several reasons the first. */
public enum Denial {
    UNKNOWN_INITIATOR("no client has this initiator name"),
    UNKNOWN_TARGET("there is no such target"),
    FOREIGN_TARGET("the target is another client's"),
    OTHER_PORT("the target is not at this port"),
    NOT_ZONED("the zones do not let this name in at this port"),
    NOT_ACTIVE("the client uses the other name of its pair"),
    LOGGED_IN_ELSEWHERE("this name is logged in from another host");

    private final String text;

    Denial(String text) {
        this.text = text;
    }

    public String text() {
        return text;
    }
}
