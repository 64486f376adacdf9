// The kernels of mixed precision for NEON, which every 64-bit ARM processor has, with products made in fp32:
// those of its extension for bf16 round otherwise. A tile of 4 rows × 16 columns has its sums in 16 of 32
// registers, 5 rows spill.
#include "tables.h"

#if defined(__aarch64__)
#define NAME(kernel) kernel##__neon
#define INSTRUCTIONS "bfloat16_vectors_neon.inc"
#define MAX_ROWS 4
#define MAX_PANELS 1
#define MAX_CHANNELS 1
#include "bfloat16_instruction_set.inc"
#endif
