package io.holdfast.block;

import java.util.BitSet;

/**
 * Which parts of a range hold data and which are holes, one after the other from its start. Filled by {@link
 * BlockBackend#extents}; belongs to one operation.
 */
public final class Extents {
    private final long[] lengths;
    private final BitSet data = new BitSet();
    private int size;

    /** @param capacity how many extents there is room for, 1 or more */
    public Extents(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("room for " + capacity + " extents");
        }
        lengths = new long[capacity];
    }

    /**
     * Appends bytes of one kind; they grow the last extent if it is of that kind.
     *
     * @return false if there is no room for them
     */
    public boolean add(boolean isData, long lengthBytes) {
        if (lengthBytes <= 0) {
            return true;
        }
        if (size > 0 && data.get(size - 1) == isData) {
            lengths[size - 1] += lengthBytes;
            return true;
        }
        if (size == lengths.length) {
            return false;
        }
        data.set(size, isData);
        lengths[size++] = lengthBytes;
        return true;
    }

    public int size() {
        return size;
    }

    /** False for a hole, which reads as zeroes and takes no space. */
    public boolean isData(int index) {
        return data.get(index);
    }

    public long lengthBytes(int index) {
        return lengths[index];
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < size; i++) {
            text.append(isData(i) ? " data " : " hole ").append(lengths[i]);
        }
        return text.isEmpty() ? "nothing" : text.substring(1);
    }
}
