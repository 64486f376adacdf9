#include "tables.h"

const char *vgg_kernel_name(size_t index) {
#define KERNEL_NAME(name, parameters) #name,
    static const char *const names[] = {VGG_KERNEL_LIST(KERNEL_NAME) VGG_BF16_KERNEL_LIST(KERNEL_NAME)};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

static const struct {
    const char *name;
    const vgg_kernels *kernels;
    const vgg_bf16_kernels *bf16_kernels;
} instruction_sets[] = {
#define ENTRY(name, table, bf16_table) {#name, &vgg_kernels__##table, &vgg_bf16_kernels__##bf16_table},
    VGG_INSTRUCTION_SET_LIST(ENTRY)};

const char *vgg_instruction_set_name(size_t index) {
    return index < sizeof instruction_sets / sizeof *instruction_sets ? instruction_sets[index].name : NULL;
}

const vgg_kernels *vgg_kernels_for(vgg_instruction_set set) { return instruction_sets[set].kernels; }

const vgg_bf16_kernels *vgg_bf16_kernels_for(vgg_instruction_set set) {
    return instruction_sets[set].bf16_kernels;
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
        return VGG_ISA_portable;
    const uint64_t saved = saved_registers();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & AVX2) || (saved & ymm) != ymm)
        return VGG_ISA_portable;
    if ((b & avx512) != avx512 || (saved & zmm) != zmm)
        return VGG_ISA_avx2;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & BF16) ? VGG_ISA_avx512bf16 : VGG_ISA_avx512;
}
#elif defined(__aarch64__)
vgg_instruction_set vgg_best_instruction_set(void) { return VGG_ISA_neon; }
#else
vgg_instruction_set vgg_best_instruction_set(void) { return VGG_ISA_portable; }
#endif
