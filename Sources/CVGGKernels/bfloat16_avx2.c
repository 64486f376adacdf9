// The kernels of mixed precision for AVX2, which does not multiply bf16. A tile of 4 rows × 16 columns has
// its sums in 8 of 16 registers, 5 rows or more spill.
#include "tables.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(kernel) kernel##__avx2
#define INSTRUCTIONS "bfloat16_vectors_avx2.inc"
#define MAX_ROWS 4
#define MAX_PANELS 1
#define MAX_CHANNELS 1
#include "bfloat16_instruction_set.inc"
#pragma clang attribute pop
#endif
