package io.holdfast.control.operator;

/**
 * Why a request was not carried out. Stable: programs branch on it.
 *
 * <p>Each row: the HTTP status, and what to do next where the message itself does not say.
 */
public enum ErrorCode {
    BAD_VALUE(400, "correct the value and try again"),
    UNAUTHENTICATED(401, "use the local socket as root, a token ('holdfast token create'), or a client certificate"),
    FORBIDDEN(403, "ask somebody with that role, or for a token that has it"),
    NOT_FOUND(404, "list what is there, and name one of those"),
    NOT_ALLOWED(405, "see /v1/openapi.json for what there is"),
    EXISTS(409, "choose another name, or remove that one first"),
    IN_USE(409, "remove what uses it first"),
    CONFLICT(409, "look at the object again, and decide anew"),
    STALE(412, "read the object again, and repeat the change if it is still wanted"),
    TOO_LARGE(413, "send less in one request"),
    LIMIT(409, "remove something first"),
    TOO_MANY(429, "wait a moment, then try again"),
    STORAGE(422, "put the image or directory right, then try again"),
    INTERNAL(500, "look at the server's log; please report it"),
    UNAVAILABLE(503, "try again later; the server's log says what is wrong");

    private final int httpStatus;
    private final String advice;

    ErrorCode(int httpStatus, String advice) {
        this.httpStatus = httpStatus;
        this.advice = advice;
    }

    public int httpStatus() {
        return httpStatus;
    }

    /** What to do next. */
    public String advice() {
        return advice;
    }

    /** As in JSON and on the command line: {@code not-found}. */
    public String label() {
        return Labels.of(this);
    }
}
