// The kernels of mixed precision for AVX-512 that does not multiply bf16. A tile of 12 rows × 32 columns has
// its sums in 24 of 32 registers; the others hold the factors, even and odd.
#include "tables.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))),         \
                             apply_to = function)
#define NAME(kernel) kernel##__avx512
#define INSTRUCTIONS "bfloat16_vectors_avx512.inc"
#define MAX_ROWS 12
#define MAX_PANELS 2
#define MAX_CHANNELS 2
#include "bfloat16_instruction_set.inc"
#pragma clang attribute pop
#endif
