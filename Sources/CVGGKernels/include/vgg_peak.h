/// What a core can do at most: multiply-adds between registers, without memory. A benchmark's measure, and
/// the machine's own: the best instructions of the processor, whatever kernels are chosen.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Floats that `result` must have room for; what is computed is written there so that it is computed.
enum { VGG_PEAK_RESULT = 16 };

/// Runs `iterations` rounds of 32-bit multiply-adds; returns the floating-point operations done.
double vgg_peak_fp32(size_t iterations, float *result);

/// The same with bfloat16 factors and 32-bit sums; with `vgg_peak_fp32` where the processor has no such
/// instruction, for then nothing faster can be done with bfloat16 numbers either.
double vgg_peak_bf16(size_t iterations, float *result);

#ifdef __cplusplus
}
#endif
