// The tables that the instruction sets' files define.
#pragma once
#include "vgg_bf16_kernels.h"
#include "vgg_kernels.h"

extern const vgg_kernels vgg_kernels__portable;
extern const vgg_bf16_kernels vgg_bf16_kernels__portable;
#if defined(__x86_64__)
extern const vgg_kernels vgg_kernels__avx2;
extern const vgg_kernels vgg_kernels__avx512;
extern const vgg_bf16_kernels vgg_bf16_kernels__avx2;
extern const vgg_bf16_kernels vgg_bf16_kernels__avx512;
extern const vgg_bf16_kernels vgg_bf16_kernels__avx512bf16;
#elif defined(__aarch64__)
extern const vgg_bf16_kernels vgg_bf16_kernels__neon;
#endif
