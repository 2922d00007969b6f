package io.holdfast.control.operator;

/** What a caller may do. Each role may do what those before it may. */
public enum Role {
    /** Looks. */
    OBSERVER,
    /** Creates, maps and removes. */
    OPERATOR,
    /** Decides who may do what, and which directories of the host are used. */
    ADMIN;

    public boolean mayActAs(Role needed) {
        return compareTo(needed) >= 0;
    }
}
