// Runs the cases on every table of this processor and prints a line each.
#include "cases.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const vgg_kernels *kernels;
const vgg_bf16_kernels *mixed;

const layer layers[] = {
    {3, 20, 3, 1, 7, 9},  {16, 32, 3, 1, 6, 6},   {17, 33, 3, 1, 10, 5}, {64, 48, 3, 1, 8, 8},
    {5, 16, 1, 1, 5, 7},  {5, 18, 5, 2, 4, 5},    {1, 16, 11, 4, 5, 5},  {20, 35, 5, 1, 9, 6},
    {1, 16, 3, 1, 12, 8}, {260, 16, 3, 1, 13, 9},
};
const size_t layer_count = sizeof layers / sizeof *layers;

enum { MOST_BLOCKS = 32 };
static struct {
    void *memory;
    size_t bytes;
} blocks[MOST_BLOCKS];
static size_t block_count;
static void *scratches[MOST_BLOCKS];
static size_t scratch_count;

static uint32_t state;
static uint32_t drawn(void) {
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

// Some bytes further on than asked for, which no kernel may write.
static void *block(size_t bytes) {
    if (block_count == MOST_BLOCKS)
        abort();
    bytes += VGG_SLACK * sizeof(double);
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory)
        abort();
    memset(memory, 0xA5, bytes);
    blocks[block_count].memory = memory;
    blocks[block_count++].bytes = bytes;
    return memory;
}

// Of both signs, now and then zero, as behind a ReLU.
static float number(void) {
    const uint32_t word = drawn();
    return word % 8 == 0 ? 0 : (float)(int32_t)(word & 0xFFFF) / 32768 - 1;
}

float *floats(size_t count) {
    float *numbers = block(count * sizeof(float));
    for (size_t i = 0; i < count + VGG_SLACK; i++)
        numbers[i] = number();
    return numbers;
}

uint16_t *bf16s(size_t count) {
    uint16_t *numbers = block(count * sizeof(uint16_t));
    for (size_t i = 0; i < count + VGG_SLACK; i++) {
        const float value = number();
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        numbers[i] = (uint16_t)(bits >> 16);
    }
    return numbers;
}

double *doubles(size_t count) {
    double *numbers = block(count * sizeof(double));
    for (size_t i = 0; i < count + VGG_SLACK; i++)
        numbers[i] = number();
    return numbers;
}

uint8_t *winners(size_t count) {
    uint8_t *positions = block(count);
    for (size_t i = 0; i < count + VGG_SLACK; i++)
        positions[i] = drawn() % 5 == 0 ? VGG_POOL_DEAD : (uint8_t)(drawn() % 4);
    return positions;
}

float *scratch(size_t count) {
    float *numbers = floats(count);
    block_count--;
    if (scratch_count == MOST_BLOCKS)
        abort();
    scratches[scratch_count++] = numbers;
    return numbers;
}

tree tree_of(size_t rows) {
    if (rows % 4)
        return (tree){{{rows, 0}}, 1};
    const size_t quarter = rows / 4;
    return (tree){{{quarter, 0}, {quarter, 1}, {quarter, 0}, {quarter, 2}}, 4};
}

void line(const char *format, ...) {
    // FNV-1a, 64 bits.
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t b = 0; b < block_count; b++) {
        const uint8_t *bytes = blocks[b].memory;
        for (size_t i = 0; i < blocks[b].bytes; i++)
            hash = (hash ^ bytes[i]) * 0x100000001b3;
        free(blocks[b].memory);
    }
    for (size_t s = 0; s < scratch_count; s++)
        free(scratches[s]);
    block_count = scratch_count = 0;
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf(": %016llx\n", (unsigned long long)hash);
}

static int has_case[256];

void called(const char *kernel) {
    for (size_t i = 0; vgg_kernel_name(i); i++)
        if (!strcmp(vgg_kernel_name(i), kernel))
            has_case[i] = 1;
}

int main(void) {
    // Plain C and vectors, whatever the processor's best are: NEON here, AVX2 there.
    for (int vectors = 0; vectors < 2; vectors++) {
        kernels = vgg_kernels_for((vgg_instruction_set)vectors);
        mixed = vgg_bf16_kernels_for((vgg_instruction_set)vectors);
        state = 1;
        printf("%s\n", vectors ? "vectors" : "plain C");
        product_cases();
        convolution_cases();
        winograd_cases();
        small_map_cases();
        streaming_cases();
        pool_cases();
        mixed_convolution_cases();
        mixed_linear_cases();
    }
    int missing = 0;
    for (size_t i = 0; vgg_kernel_name(i); i++)
        if (!has_case[i]) {
            fprintf(stderr, "the kernel %s has no case in Scripts/arm64\n", vgg_kernel_name(i));
            missing = 1;
        }
    return missing;
}
