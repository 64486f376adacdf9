// The kernels of mixed precision in plain C.
#include "tables.h"

#define NAME(kernel) kernel##__portable
#include "bfloat16_portable.inc"
