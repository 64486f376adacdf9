// The kernels that pass over memory, in both precisions, and those of one form.
#include "cases.h"
#include <stdio.h>
#include <string.h>

enum { HEIGHT = 7, WIDTH = 6, CHANNELS = 19, COUNT = HEIGHT * WIDTH * CHANNELS };
enum { POOLED = HEIGHT / 2 * (WIDTH / 2) * CHANNELS, NUMBERS_ = 208 };

static const vgg_map whole = {HEIGHT, WIDTH, CHANNELS, WIDTH *CHANNELS, CHANNELS};
static const vgg_map half = {HEIGHT / 2, WIDTH / 2, CHANNELS, WIDTH / 2 * CHANNELS, CHANNELS};
// With a border of a pixel.
static const vgg_map bordered = {HEIGHT, WIDTH, CHANNELS, (WIDTH + 2) * CHANNELS, CHANNELS};
enum { BORDERED = (HEIGHT + 2) * (WIDTH + 2) * CHANNELS, FIRST = (WIDTH + 3) * CHANNELS };

static vgg_norm norm(int relu, int pool) {
    const size_t count = 2 * VGG_PANEL;
    return (vgg_norm){HEIGHT,        WIDTH,         CHANNELS,      relu,          pool,         floats(count),
                      floats(count), floats(count), floats(count), floats(count), floats(count)};
}

static void norm_cases(void) {
    RUN(channel_moments, floats(COUNT), HEIGHT * WIDTH, CHANNELS, 5, doubles(CHANNELS), doubles(CHANNELS));
    line("channel_moments");
    RUN_MIXED(bf16_channel_moments, bf16s(COUNT), HEIGHT * WIDTH, CHANNELS, 5, doubles(CHANNELS),
              doubles(CHANNELS));
    line("bf16_channel_moments");
    for (int kind = 0; kind < 3; kind++) {
        const int relu = kind > 0, pool = kind > 1;
        const vgg_map *to = pool ? &half : &whole;
        const size_t count = pool ? POOLED : COUNT;
        vgg_norm terms = norm(relu, pool);
        RUN(normalize, &terms, floats(COUNT), to, floats(count), winners(count));
        line("normalize, relu %d, pool %d", relu, pool);
        terms = norm(relu, pool);
        RUN_MIXED(bf16_normalize, &terms, bf16s(COUNT), to, bf16s(count), winners(count));
        line("bf16_normalize, relu %d, pool %d", relu, pool);
        terms = norm(relu, pool);
        RUN(norm_sums, &terms, floats(COUNT), floats(count), winners(count), doubles(CHANNELS),
            doubles(CHANNELS));
        line("norm_sums, relu %d, pool %d", relu, pool);
        terms = norm(relu, pool);
        RUN_MIXED(bf16_norm_sums, &terms, bf16s(COUNT), bf16s(count), winners(count), doubles(CHANNELS),
                  doubles(CHANNELS));
        line("bf16_norm_sums, relu %d, pool %d", relu, pool);
        terms = norm(relu, pool);
        RUN(norm_gradient, &terms, floats(COUNT), floats(count), winners(count), &bordered,
            floats(BORDERED) + FIRST);
        line("norm_gradient, relu %d, pool %d", relu, pool);
        terms = norm(relu, pool);
        RUN_MIXED(bf16_norm_gradient, &terms, bf16s(COUNT), bf16s(count), winners(count), &bordered,
                  bf16s(BORDERED) + FIRST);
        line("bf16_norm_gradient, relu %d, pool %d", relu, pool);
    }
}

static void update_cases(void) {
    for (int kind = 0; kind < 4; kind++) {
        const int adam = kind > 1;
        float *squares = adam ? floats(NUMBERS_) : NULL;
        for (size_t i = 0; adam && i < NUMBERS_ + VGG_SLACK; i++)
            squares[i] *= squares[i];
        const vgg_update update = {
            .learning_rate = 0.1f,
            .weight_decay = 0.01f,
            .keep = 0.9f,
            .share = adam ? 0.1f : 1,
            .nesterov = kind == 1,
            .shrink = 0.999f,
            .square_keep = 0.99f,
            .square_share = 0.01f,
            .correction = 1.5f,
            .epsilon = 1e-3f,
            .average_share = 0.25f,
            .momentum = kind > 0 ? floats(NUMBERS_) : NULL,
            .squares = squares,
            .average = kind % 2 ? floats(NUMBERS_) : NULL,
        };
        RUN(update, &update, floats(NUMBERS_), floats(NUMBERS_), 0, NUMBERS_);
        line("update, kind %d", kind);
    }
}

void streaming_cases(void) {
    RUN(mask_gradient, &whole, floats(COUNT), floats(COUNT), &bordered, floats(BORDERED) + FIRST);
    line("mask_gradient");
    RUN_MIXED(bf16_mask_gradient, &whole, bf16s(COUNT), bf16s(COUNT), &bordered, bf16s(BORDERED) + FIRST);
    line("bf16_mask_gradient");
    RUN(unpool_gradient, floats(POOLED), winners(POOLED), HEIGHT / 2, WIDTH / 2, &bordered,
        floats(BORDERED) + FIRST);
    line("unpool_gradient");
    RUN_MIXED(bf16_unpool_gradient, bf16s(POOLED), winners(POOLED), HEIGHT / 2, WIDTH / 2, &bordered,
              bf16s(BORDERED) + FIRST);
    line("bf16_unpool_gradient");
    RUN(transpose, floats(13 * 21), 21, 13, 21, floats(21 * 16), 16, 16);
    line("transpose");
    norm_cases();
    update_cases();
    const tree leaves = tree_of(8);
    RUN(sum_tree, floats(8 * NUMBERS_), NUMBERS_, leaves.leaves, leaves.count, floats(NUMBERS_),
        NUMBERS_ - 3);
    line("sum_tree");
    RUN(add, floats(COUNT), floats(COUNT), COUNT);
    line("add");
    RUN(relu, floats(COUNT), floats(COUNT), COUNT);
    line("relu");
    RUN(relu_gradient, floats(COUNT), floats(COUNT), COUNT);
    line("relu_gradient");
    RUN_MIXED(bf16_relu_gradient, bf16s(COUNT), bf16s(COUNT), COUNT);
    line("bf16_relu_gradient");
    RUN(dropout, floats(COUNT), floats(COUNT), COUNT, 8, 1, 2, 3, 4, 1u << 31, 2);
    line("dropout");
    RUN_MIXED(bf16_from_float, floats(COUNT), bf16s(COUNT), COUNT);
    line("bf16_from_float");
    RUN_MIXED(bf16_to_float, bf16s(COUNT), floats(COUNT), COUNT);
    line("bf16_to_float");
}

void pool_cases(void) {
    // 3×3 with stride 2: no fused pool's.
    const vgg_map pooled = {3, 2, CHANNELS, 2 * CHANNELS, CHANNELS};
    uint16_t *winner = bf16s(3 * 2 * CHANNELS);
    vgg_max_pool(&whole, floats(COUNT), 3, 2, &pooled, floats(3 * 2 * CHANNELS), winner);
    line("max_pool");
    winner = bf16s(3 * 2 * CHANNELS);
    for (size_t i = 0; i < 3 * 2 * CHANNELS; i++)
        winner[i] = i * 5 % 9;
    float *dx = floats(COUNT);
    memset(dx, 0, COUNT * sizeof *dx);
    vgg_max_pool_gradient(floats(3 * 2 * CHANNELS), winner, 3, 2, 3, 2, &whole, dx);
    line("max_pool_gradient");
    const size_t rows[] = {0, 3, 2, 5, 4, 7}, columns[] = {0, 3, 3, 6};
    vgg_average_pool(&whole, floats(COUNT), rows, columns, &pooled, floats(3 * 2 * CHANNELS));
    line("average_pool");
    dx = floats(COUNT);
    memset(dx, 0, COUNT * sizeof *dx);
    vgg_average_pool_gradient(floats(3 * 2 * CHANNELS), rows, columns, &pooled, &whole, dx);
    line("average_pool_gradient");
    vgg_zero_border(floats(BORDERED), HEIGHT, WIDTH, CHANNELS * sizeof(float), 1);
    line("zero_border");
    // Its exponential is the C library's: to seven digits.
    const vgg_target target = {.label = 3, .partner = 5, .share = 0.3f, .smoothing = 0.1f};
    float *gradient = scratch(10);
    const double loss = vgg_softmax_cross_entropy(floats(10), 10, &target, 0.5f, gradient);
    line("softmax_cross_entropy %.6f, %.5f, %.5f", loss, (double)gradient[3], (double)gradient[9]);
}
