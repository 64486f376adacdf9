#include "tables.h"

const char *vgg_kernel_name(size_t index) {
#define KERNEL_NAME(name, parameters) #name,
    static const char *const names[] = {VGG_KERNEL_LIST(KERNEL_NAME) VGG_BF16_KERNEL_LIST(KERNEL_NAME)};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t saved_registers(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

// A processor's word is not enough: the operating system must save the wide registers too (Intel SDM
// volume 1, sections 14.3 and 15.2).
vgg_instruction_set vgg_best_instruction_set(void) {
    enum { FMA = 1 << 12, OSXSAVE = 1 << 27, AVX2 = 1 << 5, BF16 = 1 << 5 };
    const uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; // F, DQ, BW, VL
    const uint64_t ymm = 0x06, zmm = 0xE6;
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE) || !(c & FMA))
        return VGG_PORTABLE;
    const uint64_t saved = saved_registers();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & AVX2) || (saved & ymm) != ymm)
        return VGG_PORTABLE;
    if ((b & avx512) != avx512 || (saved & zmm) != zmm)
        return VGG_AVX2;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & BF16) ? VGG_AVX512_BF16 : VGG_AVX512;
}

const vgg_kernels *vgg_kernels_for(vgg_instruction_set set) {
    switch (set) {
    case VGG_AVX512_BF16:
    case VGG_AVX512:
        return &vgg_kernels__avx512;
    case VGG_AVX2:
        return &vgg_kernels__avx2;
    default:
        return &vgg_kernels__portable;
    }
}

const vgg_bf16_kernels *vgg_bf16_kernels_for(vgg_instruction_set set) {
    switch (set) {
    case VGG_AVX512_BF16:
        return &vgg_bf16_kernels__avx512bf16;
    case VGG_AVX512:
        return &vgg_bf16_kernels__avx512;
    case VGG_AVX2:
        return &vgg_bf16_kernels__avx2;
    default:
        return &vgg_bf16_kernels__portable;
    }
}
#elif defined(__aarch64__)
vgg_instruction_set vgg_best_instruction_set(void) { return VGG_NEON; }

// In fp32 plain C is vectors of 128 bits, which are NEON's.
const vgg_kernels *vgg_kernels_for(vgg_instruction_set set) {
    (void)set;
    return &vgg_kernels__portable;
}

const vgg_bf16_kernels *vgg_bf16_kernels_for(vgg_instruction_set set) {
    return set == VGG_NEON ? &vgg_bf16_kernels__neon : &vgg_bf16_kernels__portable;
}
#else
vgg_instruction_set vgg_best_instruction_set(void) { return VGG_PORTABLE; }

const vgg_kernels *vgg_kernels_for(vgg_instruction_set set) {
    (void)set;
    return &vgg_kernels__portable;
}

const vgg_bf16_kernels *vgg_bf16_kernels_for(vgg_instruction_set set) {
    (void)set;
    return &vgg_bf16_kernels__portable;
}
#endif
