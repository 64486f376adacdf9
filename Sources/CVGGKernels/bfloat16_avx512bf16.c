// The kernels of mixed precision for AVX-512 with BF16: tiles of 14 rows × 32 columns in 28 of 32 registers.
#include "tables.h"

#if defined(__x86_64__)
#pragma clang attribute push(                                                                                \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), apply_to = function)
#define NAME(kernel) kernel##__avx512bf16
#define INSTRUCTIONS "bfloat16_vectors_avx512.inc"
#define HAS_BFLOAT16
#define MAX_ROWS 14
#define MAX_PANELS 2
#define MAX_CHANNELS 4
#include "bfloat16_instruction_set.inc"
#pragma clang attribute pop
#endif
