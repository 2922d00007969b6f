package io.holdfast.block;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Opens a file in a process of its own and prints what came of it. */
final class OpenerMain {

    private OpenerMain() {}

    public static void main(String[] args) throws IOException {
        try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            out.write(open(Path.of(args[0]), args[1].equals("ro")).getBytes(StandardCharsets.UTF_8));
        }
    }

    private static String open(Path path, boolean readOnly) throws IOException {
        FileOptions options = readOnly ? FileOptions.READ_ONLY : FileOptions.READ_WRITE;
        try (FileBackend backend = FileBackend.open(path, options)) {
            return backend.sizeBytes() > 0 ? "opened" : "empty";
        } catch (BackendException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
