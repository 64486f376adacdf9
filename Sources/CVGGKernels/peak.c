#include "vgg_kernels.h"
#include "vgg_peak.h"

// More sums than an operation's latency times how many start in a cycle, and few enough to stay in 16 (ARM:
// 32) registers beside the factors. They start apart, or the compiler would see that they are all the same.
#if defined(__aarch64__)
enum { CHAINS = 24 };
#else
enum { CHAINS = 12 };
#endif

/// Defines `name`, which runs CHAINS independent sums through `step` and returns the operations done.
#define PEAK(name, attributes, vector, operations, prepare, step)                                            \
    attributes static double name(size_t iterations, float *result) {                                        \
        vector sum[CHAINS];                                                                                  \
        prepare;                                                                                             \
        for (int chain = 0; chain < CHAINS; chain++)                                                         \
            sum[chain] = (vector){(float)chain};                                                             \
        for (size_t round = 0; round < iterations; round++)                                                  \
            _Pragma("clang loop unroll(full)") for (int chain = 0; chain < CHAINS; chain++) sum[chain] =     \
                step(sum[chain]);                                                                            \
        vector total = sum[0];                                                                               \
        for (int chain = 1; chain < CHAINS; chain++)                                                         \
            total += sum[chain];                                                                             \
        for (size_t lane = 0; lane < sizeof(vector) / sizeof(float); lane++)                                 \
            result[lane] = total[lane];                                                                      \
        return (double)iterations * CHAINS * (operations);                                                   \
    }

typedef float vector4 __attribute__((vector_size(16)));

// Every processor of 64 bits has vectors of four; the factors keep the sums finite and normal.
#if defined(__aarch64__)
// ARM adds to the register that it sums in: the other form takes a copy for each. The compiler must not
// know the factors, or it would multiply them once.
#define MULTIPLY_ADD(x) ((x) + factor * addend)
#define HIDE(vector) __asm__("" : "+w"(vector))
#else
#define MULTIPLY_ADD(x) ((x)*factor + addend)
#define HIDE(vector)
#endif
PEAK(peak_fp32__portable, , vector4, 2 * 4, vector4 factor = (vector4){} + 0.5f;
     vector4 addend = (vector4){} + 1.0f; HIDE(factor); HIDE(addend), MULTIPLY_ADD)

#if defined(__x86_64__)
#include <immintrin.h>

#define MULTIPLY_ADD_256(x) _mm256_fmadd_ps(x, factor, addend)
PEAK(peak_fp32__avx2, __attribute__((target("avx2,fma"))), __m256, 2 * 8,
     const __m256 factor = _mm256_set1_ps(0.5f);
     const __m256 addend = _mm256_set1_ps(1.0f), MULTIPLY_ADD_256)

#define MULTIPLY_ADD_512(x) _mm512_fmadd_ps(x, factor, addend)
PEAK(peak_fp32__avx512, __attribute__((target("avx512f"))), __m512, 2 * 16,
     const __m512 factor = _mm512_set1_ps(0.5f);
     const __m512 addend = _mm512_set1_ps(1.0f), MULTIPLY_ADD_512)

#define DOT_PRODUCT(x) _mm512_dpbf16_ps(x, factor, factor)
PEAK(peak_bf16__avx512bf16, __attribute__((target("avx512f,avx512bf16"))), __m512, 2 * 32,
     const __m512bh factor = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0x1p-8f), _mm512_set1_ps(0x1p-8f)),
     DOT_PRODUCT)

double vgg_peak_fp32(size_t iterations, float *result) {
    const vgg_instruction_set best = vgg_best_instruction_set();
    if (best >= VGG_ISA_avx512)
        return peak_fp32__avx512(iterations, result);
    if (best >= VGG_ISA_avx2)
        return peak_fp32__avx2(iterations, result);
    return peak_fp32__portable(iterations, result);
}

double vgg_peak_bf16(size_t iterations, float *result) {
    return vgg_best_instruction_set() >= VGG_ISA_avx512bf16 ? peak_bf16__avx512bf16(iterations, result)
                                                            : vgg_peak_fp32(iterations, result);
}
#else
double vgg_peak_fp32(size_t iterations, float *result) { return peak_fp32__portable(iterations, result); }

double vgg_peak_bf16(size_t iterations, float *result) { return vgg_peak_fp32(iterations, result); }
#endif
