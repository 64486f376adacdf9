#include "vgg_kernels.h"

// Philox4x32-10 (Salmon et al. 2011); the twin of VGGModel's `Philox`, which explains it.
static void philox(uint64_t seed, uint32_t counter[4]) {
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t left = (uint64_t)counter[0] * 0xD2511F53u;
        const uint64_t right = (uint64_t)counter[2] * 0xCD9E8D57u;
        counter[0] = (uint32_t)(right >> 32) ^ counter[1] ^ key0;
        counter[1] = (uint32_t)right;
        counter[2] = (uint32_t)(left >> 32) ^ counter[3] ^ key1;
        counter[3] = (uint32_t)left;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

void vgg_dropout(const float *x, float *y, size_t count, uint64_t offset, uint64_t seed, uint32_t stream,
                 uint32_t sequence, uint32_t layer, uint32_t threshold, float scale) {
    for (size_t i = 0; i < count; i += 4) {
        // The upper half of the block's index is the layer, so that layers draw independently.
        uint32_t words[4] = {(uint32_t)((offset + i) / 4), layer, sequence, stream};
        philox(seed, words);
        for (size_t n = 0; n < 4 && i + n < count; n++)
            y[i + n] = words[n] >= threshold ? x[i + n] * scale : 0;
    }
}
