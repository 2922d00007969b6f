package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Past the page cache, where the kernel takes whole blocks only. */
class FileBackendDirectTest extends FileBackendContract {

    @Override
    protected Path parent() throws IOException {
        return Files.createDirectories(Path.of("target"));
    }

    @Override
    protected FileOptions with(FileOptions options) {
        return options.withDirect();
    }

    /** Pieces of blocks next to each other, all at once: each is read, changed and written with its neighbours in it. */
    @Test
    void shouldKeepEveryOneOfManyWritesToPartsOfTheSameBlocks() {
        Random random = new Random(11);
        for (int round = 0; round < 20; round++) {
            List<CompletableFuture<Optional<BlockError>>> writes = new ArrayList<>();
            DirectMemory whole = DirectMemory.random(65_536, round);
            int at = 0;
            while (at < whole.length()) {
                int length = Math.min(random.nextInt(8) == 0 ? 4096 : 1 + random.nextInt(700), whole.length() - at);
                byte[] part = new byte[length];
                whole.buffer().get(at, part);
                DirectMemory bytes = DirectMemory.of(part);
                long offset = 4096L + at;
                Durability durability = random.nextInt(10) == 0 ? Durability.DURABLE : Durability.CACHED;
                writes.add(rig.start((lane, done) -> backend.write(offset, bytes, durability, lane, done)));
                at += length;
            }
            assertThat(writes).allSatisfy(write -> assertThat(write.join()).isEmpty());
            assertThat(read(4096, 65_536)).isEqualTo(whole.content());
        }
    }

    @Test
    void shouldLeaveNothingInThePageCache() throws Exception {
        write(0, DirectMemory.random(1 << 20, 12));
        read(0, 1 << 20);
        Path image = Path.of(backend.describe());
        String cached = RootRig.run("fincore", "--bytes", "--noheadings", "--output", "RES", image.toString());
        org.junit.jupiter.api.Assumptions.assumeTrue(cached.matches("\\d+"), "skipped: fincore says: " + cached);
        assertThat(Long.parseLong(cached)).isZero();
    }
}
