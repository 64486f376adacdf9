// The kernels in plain C with 128-bit vectors: what every processor the toolchain knows can run.
#include "tables.h"

#define NAME(kernel) kernel##__portable
#define WIDTH 4
#define MAX_PANELS 1
#if defined(__aarch64__)
#define MAX_ROWS 6
#else
#define MAX_ROWS 2
#endif
#include "instruction_set.inc"
