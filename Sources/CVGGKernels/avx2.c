// The kernels for AVX2 with FMA: 256-bit vectors, tiles of 6 rows × 16 columns in 12 of 16 registers.
#include "tables.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define NAME(kernel) kernel##__avx2
#define WIDTH 8
#define MAX_PANELS 1
#define MAX_ROWS 6
#include "instruction_set.inc"
#pragma clang attribute pop
#endif
