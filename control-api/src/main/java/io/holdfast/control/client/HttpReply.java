package io.holdfast.control.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * The answer to one HTTP/1.1 request (RFC 9112).
 *
 * @param body to its end
 */
record HttpReply(int status, InputStream body) {

    static HttpReply read(InputStream in, int maxHeadBytes) throws IOException {
        String first = line(in, maxHeadBytes);
        if (!first.startsWith("HTTP/1.1 ") || first.length() < 12) {
            throw new IOException("what answers there is no Holdfast server");
        }
        int status;
        try {
            status = Integer.parseInt(first.substring(9, 12));
        } catch (NumberFormatException e) {
            throw new IOException("what answers there is no Holdfast server", e);
        }
        boolean chunked = false;
        long length = -1;
        for (String line = line(in, maxHeadBytes); !line.isEmpty(); line = line(in, maxHeadBytes)) {
            String lower = line.toLowerCase(Locale.ROOT);
            if (lower.startsWith("transfer-encoding:") && lower.endsWith("chunked")) {
                chunked = true;
            } else if (lower.startsWith("content-length:")) {
                length = Long.parseLong(
                        lower.substring("content-length:".length()).trim());
            }
        }
        return new HttpReply(status, chunked ? new Chunks(in, maxHeadBytes) : new Limited(in, length));
    }

    private static String line(InputStream in, int maxBytes) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0 || line.size() > maxBytes) {
                throw new IOException("the server closed the connection");
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    /** As many bytes as were announced; to the end if none were. */
    private static final class Limited extends InputStream {
        private final InputStream in;
        private long left;

        Limited(InputStream in, long length) {
            this.in = in;
            this.left = length < 0 ? Long.MAX_VALUE : length;
        }

        @Override
        public int read() throws IOException {
            if (left == 0) {
                return -1;
            }
            left--;
            return in.read();
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            int read = in.read(into, offset, (int) Math.min(length, left));
            left -= Math.max(0, read);
            return read;
        }
    }

    /** RFC 9112 §7.1. */
    private static final class Chunks extends InputStream {
        private final InputStream in;
        private final int maxLineBytes;
        private long left;
        private boolean first = true;
        private boolean ended;

        Chunks(InputStream in, int maxLineBytes) {
            this.in = in;
            this.maxLineBytes = maxLineBytes;
        }

        private boolean more() throws IOException {
            if (left > 0 || ended) {
                return !ended;
            }
            if (!first) {
                line(in, maxLineBytes);
            }
            first = false;
            try {
                left = Long.parseLong(
                        line(in, maxLineBytes).replaceAll(";.*", "").trim(), 16);
            } catch (NumberFormatException e) {
                throw new IOException("the server's answer is malformed", e);
            }
            ended = left == 0;
            return !ended;
        }

        @Override
        public int read() throws IOException {
            if (!more()) {
                return -1;
            }
            left--;
            return in.read();
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (!more()) {
                return -1;
            }
            int read = in.read(into, offset, (int) Math.min(length, left));
            left -= Math.max(0, read);
            return read;
        }
    }
}
