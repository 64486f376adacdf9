// The kernels for AVX-512: 512-bit vectors, tiles of 14 rows × 32 columns in 28 of 32 registers. Every VGG
// map at 224 is a multiple of 14 wide.
#include "tables.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))),         \
                             apply_to = function)
#define NAME(kernel) kernel##__avx512
#define WIDTH 16
#define MAX_PANELS 2
#define MAX_ROWS 14
#include "instruction_set.inc"
#pragma clang attribute pop
#endif
