// The kernels in plain C with 128-bit vectors: what every processor the toolchain knows can run.
#include "tables.h"

#define NAME(kernel) kernel##__portable
#define WIDTH 4
#define MAX_PANELS 1
#if defined(__aarch64__)
// An instruction multiplies by one number of a register: 16 sums, which is what four pipes of four cycles
// want, a row's numbers and a row of panels are in 32 registers. Six rows whose numbers are loaded one by one
// reach 77 % of that.
#define BY_ELEMENT
#define MAX_ROWS 4
#else
#define MAX_ROWS 2
#endif
#include "instruction_set.inc"
