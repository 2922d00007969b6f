package io.holdfast.block;

class MemoryBackendTest extends BlockBackendContract {

    @Override
    protected BlockBackend create(long sizeBytes) {
        return new MemoryBackend(sizeBytes);
    }

    @Override
    protected boolean writesAtOnce() {
        return true;
    }

    @Override
    protected BlockBackend createReadOnly(long sizeBytes) {
        return MemoryBackend.readOnlyZeroes(sizeBytes);
    }
}
