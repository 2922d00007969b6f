package io.holdfast.agent;

/** What an agent was told to do cannot be done. The message names the value and says what is allowed, in one line. */
public final class AgentConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    public AgentConfigException(String message) {
        super(message);
    }

    public AgentConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
