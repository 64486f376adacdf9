// The kernels of mixed precision.
#include "cases.h"
#include <stdio.h>

static void packing_cases(const layer *l) {
    RUN_MIXED(bf16_pack_weights, floats(weight_count(l)),
              bf16s(vgg_bf16_weights_count(l->in, l->out, l->kernel)), l->in, l->kernel, 0, panels(l->out));
    line("bf16_pack_weights " LAYER, NUMBERS(l));
    RUN_MIXED(bf16_pack_flipped_weights, floats(weight_count(l)),
              bf16s(vgg_bf16_weights_count(l->out, l->in, l->kernel)), l->in, l->out, l->kernel, 0,
              panels(l->in));
    line("bf16_pack_flipped_weights " LAYER, NUMBERS(l));
}

static uint16_t *packed(const layer *l) {
    uint16_t *weights = bf16s(vgg_bf16_weights_count(l->in, l->out, l->kernel));
    RUN_MIXED(bf16_pack_weights, floats(weight_count(l)), weights, l->in, l->kernel, 0, panels(l->out));
    return weights;
}

static void pooled_cases(const layer *l) {
    const vgg_convolution pooled = shape_of(l, 1), shape = shape_of(l, 0);
    RUN_MIXED(bf16_pooled_weight_gradient, &pooled, bf16s(input_count(l)), bf16s(pooled_count(l)),
              winners(pooled_count(l)), floats(weight_count(l)), floats(panels(l->out) * VGG_PANEL),
              (uint16_t *)scratch(vgg_bf16_pooled_weight_gradient_scratch(&pooled)));
    line("bf16_pooled_weight_gradient " LAYER, NUMBERS(l));
    uint16_t *weights = bf16s(vgg_bf16_pooled_weights_count(l->in, l->out));
    RUN_MIXED(bf16_pack_pooled_weights, floats(weight_count(l)), weights, l->in, l->out, 0, panels(l->in));
    vgg_convolution input = shape;
    input.x_row = (ptrdiff_t)(l->width * l->in);
    RUN_MIXED(bf16_pooled_input_gradient, &input, bf16s(pooled_count(l)), winners(pooled_count(l)), weights,
              bf16s(l->height * l->width * l->in), scratch(vgg_bf16_pooled_input_gradient_scratch(&input)));
    line("bf16_pooled_input_gradient " LAYER, NUMBERS(l));
}

static void winograd_cases_of(const layer *l) {
    for (int pool = 0; pool < 2; pool++)
        for (int single = 0; single < (pool ? 1 : 2); single++) {
            const vgg_convolution shape = shape_of(l, pool);
            const size_t rows = pool ? l->height / 2 : (l->height + 1) / 2;
            const size_t columns = pool ? l->width / 2 : (l->width + 1) / 2;
            const size_t count = pool ? pooled_count(l) : output_count(l);
            uint16_t *u = bf16s(vgg_bf16_winograd_weights_count(l->in, l->out));
            RUN_MIXED(bf16_winograd_weights, floats(weight_count(l)), u, l->in, 0, panels(l->out));
            RUN_MIXED(bf16_winograd_convolution, &shape, (ptrdiff_t)input_count(l), bf16s(2 * input_count(l)),
                      u, floats(panels(l->out) * VGG_PANEL), (ptrdiff_t)count, bf16s(2 * count),
                      single ? floats(2 * count) : NULL, pool ? winners(2 * count) : NULL,
                      scratch(vgg_bf16_winograd_scratch(l->in)), 0, 2 * rows * columns, 1, pool);
            line("bf16_winograd_convolution " LAYER ", pool %d, single %d", NUMBERS(l), pool, single);
        }
}

void mixed_convolution_cases(void) {
    for (size_t i = 0; i < layer_count; i++) {
        const layer *l = &layers[i];
        const vgg_convolution shape = shape_of(l, 0), pooled = shape_of(l, 1);
        const size_t padded = panels(l->out) * VGG_PANEL;
        packing_cases(l);
        for (int relu = 0; relu < 2; relu++) {
            RUN_MIXED(bf16_convolution, &shape, bf16s(input_count(l)), packed(l),
                      relu ? floats(padded) : NULL, bf16s(output_count(l)), 0, l->height, relu);
            line("bf16_convolution " LAYER ", relu %d", NUMBERS(l), relu);
        }
        RUN_MIXED(bf16_convolution_relu_pool, &pooled, bf16s(input_count(l)), packed(l), floats(padded),
                  bf16s(pooled_count(l)), winners(pooled_count(l)), 0, l->height / 2);
        line("bf16_convolution_relu_pool " LAYER, NUMBERS(l));
        RUN_MIXED(bf16_weight_gradient, &shape, bf16s(input_count(l)), bf16s(output_count(l)),
                  floats(weight_count(l)), floats(padded),
                  (uint16_t *)scratch(vgg_bf16_weight_gradient_scratch(&shape)));
        line("bf16_weight_gradient " LAYER, NUMBERS(l));
        if (l->kernel != 3 || l->stride != 1)
            continue;
        pooled_cases(l);
        winograd_cases_of(l);
    }
}

void mixed_linear_cases(void) {
    const size_t rows[] = {1, 3, 8, 20};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const tree leaves = tree_of(rows[i]);
        const vgg_linear shape = {.rows = rows[i],
                                  .inputs = 144,
                                  .outputs = 35,
                                  .x_row = 150,
                                  .y_row = 40,
                                  .leaves = leaves.leaves,
                                  .leaf_count = leaves.count};
        const size_t all = panels(shape.outputs), padded = all * VGG_PANEL;
        const size_t pairs = vgg_linear_pairs(&shape), weights = padded * shape.inputs;
        const size_t x = rows[i] * 150, y = rows[i] * 40;
        for (int kind = 0; kind < 3; kind++) {
            // Rounding them takes twos of inputs in one kernel row.
            uint16_t *rounded =
                kind == 1 ? bf16s(vgg_bf16_weights_count(shape.inputs, shape.outputs, 1)) : NULL;
            RUN_MIXED(bf16_linear_forward, &shape, bf16s(x), floats(weights), rounded, floats(padded),
                      kind == 2 ? NULL : bf16s(y), kind == 2 ? floats(y) : NULL,
                      scratch(vgg_bf16_linear_forward_scratch(&shape)), 0, all, kind > 0);
            line("bf16_linear_forward of %zu, kind %d", rows[i], kind);
        }
        RUN_MIXED(bf16_linear_transpose, &shape, bf16s(x), bf16s(shape.inputs * pairs * 2), 0, shape.inputs);
        line("bf16_linear_transpose of %zu", rows[i]);
        RUN_MIXED(bf16_linear_pair, &shape, bf16s(y), bf16s(padded * pairs * 2), floats(padded), 0, all);
        line("bf16_linear_pair of %zu", rows[i]);
        for (int updated = 0; updated < 2; updated++) {
            uint16_t *transposed = bf16s(shape.inputs * pairs * 2), *paired = bf16s(padded * pairs * 2);
            const uint16_t *dy = bf16s(y);
            float *bias = scratch(padded);
            RUN_MIXED(bf16_linear_transpose, &shape, bf16s(x), transposed, 0, shape.inputs);
            RUN_MIXED(bf16_linear_pair, &shape, dy, paired, bias, 0, all);
            const vgg_update update = {
                .learning_rate = 0.1f, .keep = 0.9f, .share = 1, .momentum = floats(weights)};
            RUN_MIXED(bf16_linear_backward, &shape, transposed, dy, paired, floats(weights),
                      updated ? NULL : floats(weights), updated ? &update : NULL, bf16s(x),
                      scratch(vgg_bf16_linear_backward_scratch(&shape)), 0, shape.inputs);
            line("bf16_linear_backward of %zu, updated %d", rows[i], updated);
        }
    }
}
