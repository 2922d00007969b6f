package io.holdfast.agent.qmp;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Something QEMU tells unasked.
 *
 * @param name {@code STOP}, {@code RESUME}, {@code BLOCK_IO_ERROR}, …
 * @param data its arguments; a missing node if there are none
 * @param timestamp when, by the host's clock: {@code seconds} and {@code microseconds} since 1970; a missing node if QEMU
 *     does not say
 */
public record QmpEvent(String name, JsonNode data, JsonNode timestamp) {}
