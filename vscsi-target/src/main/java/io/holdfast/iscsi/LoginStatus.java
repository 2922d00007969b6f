package io.holdfast.iscsi;

/** How a login went (RFC 7143 §11.13.5): class and detail of the Login Response. */
public enum LoginStatus {
    SUCCESS(0, 0x00, "success"),
    MOVED_TEMPORARILY(1, 0x01, "target moved temporarily"),
    MOVED_PERMANENTLY(1, 0x02, "target moved permanently"),
    INITIATOR_ERROR(2, 0x00, "initiator error"),
    AUTHENTICATION_FAILED(2, 0x01, "authentication failed"),
    NOT_AUTHORIZED(2, 0x02, "not allowed to access this target"),
    NOT_FOUND(2, 0x03, "no such target"),
    UNSUPPORTED_VERSION(2, 0x05, "version not supported"),
    TOO_MANY_CONNECTIONS(2, 0x06, "too many connections"),
    MISSING_PARAMETER(2, 0x07, "missing parameter"),
    NOT_IN_SESSION(2, 0x08, "cannot be included in the session"),
    SESSION_TYPE_UNSUPPORTED(2, 0x09, "session type not supported"),
    NO_SUCH_SESSION(2, 0x0a, "session does not exist"),
    INVALID_REQUEST(2, 0x0b, "invalid request type during login"),
    TARGET_ERROR(3, 0x00, "target error"),
    SERVICE_UNAVAILABLE(3, 0x01, "service unavailable"),
    OUT_OF_RESOURCES(3, 0x02, "out of resources");

    private final int statusClass;
    private final int detail;
    private final String text;

    LoginStatus(int statusClass, int detail, String text) {
        this.statusClass = statusClass;
        this.detail = detail;
        this.text = text;
    }

    public int statusClass() {
        return statusClass;
    }

    public int detail() {
        return detail;
    }

    /** In words, for logs. */
    public String text() {
        return text;
    }
}
