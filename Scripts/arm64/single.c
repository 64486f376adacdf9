// The kernels in single precision.
#include "cases.h"
#include <stdio.h>

void product_cases(void) {
    // Every number of rows that a tile may have, and more; sums that are no multiple of a vector.
    const size_t rows[] = {1, 2, 3, 4, 5, 6, 7, 9, 13, 30}, inner[] = {1, 4, 7, 32, 50};
    const size_t columns[] = {5, 16, 33, 48};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
            for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
                // A's rows or the other direction lie side by side, or neither.
                for (int layout = 0; layout < 3; layout++) {
                    const size_t m = rows[r], k = inner[i], n = columns[c], p = panels(n), outer = 2;
                    const tree leaves = tree_of(k);
                    const int as_tree = (m + k + n) % 2 == 0;
                    const int accumulates = !as_tree && (m + k) % 3 == 0;
                    RUN(product, &(vgg_product){
                                     .a = floats(outer * m * k * 2),
                                     .a_row = (ptrdiff_t)(layout == 0   ? k
                                                          : layout == 1 ? 1
                                                                        : 2 * k),
                                     .a_outer = (ptrdiff_t)(m * k),
                                     .a_inner = (ptrdiff_t)(layout == 0   ? 1
                                                            : layout == 1 ? m
                                                                          : 2),
                                     .b = floats(p * outer * k * VGG_PANEL),
                                     .b_panel = (ptrdiff_t)(outer * k * VGG_PANEL),
                                     .b_outer = (ptrdiff_t)(k * VGG_PANEL),
                                     .b_inner = VGG_PANEL,
                                     .c = floats(m * p * VGG_PANEL),
                                     .c_row = (ptrdiff_t)(p * VGG_PANEL),
                                     .c_panel = VGG_PANEL,
                                     .bias = as_tree || accumulates ? NULL : floats(p * VGG_PANEL),
                                     .rows = m,
                                     .columns = n,
                                     .outer = as_tree ? 1 : outer,
                                     .inner = k,
                                     .leaves = as_tree ? leaves.leaves : NULL,
                                     .leaf_count = as_tree ? leaves.count : 0,
                                     .accumulate = accumulates,
                                     .relu = m % 2 == 0,
                                 });
                    line("product %zu×%zu×%zu, layout %d", m, k, n, layout);
                }
}

void convolution_cases(void) {
    for (size_t i = 0; i < layer_count; i++) {
        const layer *l = &layers[i];
        const vgg_convolution shape = shape_of(l, 0), pooled = shape_of(l, 1);
        const size_t padded = panels(l->out) * VGG_PANEL;
        for (int relu = 0; relu < 2; relu++) {
            const float *x = floats(input_count(l)), *w = floats(weight_count(l)), *bias = floats(padded);
            float *y = floats(output_count(l));
            RUN(convolution, &shape, x, w, relu ? bias : NULL, y, 0, 2, relu);
            RUN(convolution, &shape, x, w, relu ? bias : NULL, y, 2, l->height, relu);
            line("convolution " LAYER ", relu %d", NUMBERS(l), relu);
        }
        RUN(convolution_relu_pool, &pooled, floats(input_count(l)), floats(weight_count(l)), floats(padded),
            floats(pooled_count(l)), winners(pooled_count(l)), 0, l->height / 2);
        line("convolution_relu_pool " LAYER, NUMBERS(l));
        RUN(convolution_weight_gradient, &shape, floats(input_count(l)), floats(output_count(l)),
            floats(weight_count(l)), floats(padded));
        line("convolution_weight_gradient " LAYER, NUMBERS(l));
        RUN(flip_weights, floats(weight_count(l)),
            floats(panels(l->in) * VGG_PANEL * l->kernel * l->kernel * l->out), l->in, l->out, l->kernel, 0,
            panels(l->in));
        line("flip_weights " LAYER, NUMBERS(l));
        if (l->kernel != 3)
            continue;
        RUN(pooled_weight_gradient, &pooled, floats(input_count(l)), floats(pooled_count(l)),
            winners(pooled_count(l)), floats(weight_count(l)), floats(padded));
        line("pooled_weight_gradient " LAYER, NUMBERS(l));
    }
}

// Two images, in one range of tiles and in two.
static void winograd_case(const layer *l, int relu) {
    const int five = l->kernel == 5, tile = five ? 2 : 4;
    const vgg_convolution shape = shape_of(l, 0);
    const size_t side = (size_t)tile, padded = panels(l->out) * VGG_PANEL;
    const size_t tiles = 2 * ((l->height + side - 1) / side) * ((l->width + side - 1) / side);
    const ptrdiff_t x_image = (ptrdiff_t)input_count(l), y_image = (ptrdiff_t)output_count(l);
    const size_t transformed = vgg_winograd_weights_count(l->in, l->out);
    const float *x = floats(2 * input_count(l)), *w = floats(weight_count(l));
    const float *bias = relu ? floats(padded) : NULL;
    float *u = scratch(transformed), *y = floats(2 * output_count(l));
    float *memory = scratch(vgg_winograd_scratch(l->in));
    if (five) {
        RUN(five_winograd_weights, w, u, l->in, 0, panels(l->out));
        RUN(five_winograd_convolution, &shape, x_image, x, u, bias, y_image, y, memory, 0, tiles, relu);
    } else {
        RUN(winograd_weights, w, u, l->in, 0, panels(l->out));
        RUN(winograd_convolution, &shape, x_image, x, u, bias, y_image, y, memory, 0, 3, relu);
        RUN(winograd_convolution, &shape, x_image, x, u, bias, y_image, y, memory, 3, tiles, relu);
    }
    line("winograd_convolution " LAYER ", relu %d", NUMBERS(l), relu);

    const float *dy = floats(2 * output_count(l));
    x = floats(2 * input_count(l));
    memory = scratch(vgg_winograd_gradient_scratch(l->in));
    const vgg_winograd_target target = {.panel_begin = 0,
                                        .panel_end = panels(l->out),
                                        .sums = scratch(transformed),
                                        .db = floats(padded),
                                        .start = 1,
                                        .dw = floats(weight_count(l)),
                                        .add = relu};
    if (five)
        RUN(five_winograd_weight_gradient, &shape, x_image, x, y_image, dy, &target, memory, 0, tiles);
    else
        RUN(winograd_weight_gradient, &shape, x_image, x, y_image, dy, &target, memory, 0, tiles);
    line("winograd_weight_gradient " LAYER ", add %d", NUMBERS(l), relu);
}

static void pooled_winograd_case(const layer *l) {
    const vgg_convolution pooled = shape_of(l, 1), shape = shape_of(l, 0);
    const size_t padded = panels(l->out) * VGG_PANEL;
    const size_t tiles = 2 * ((l->height / 2 + 1) / 2) * ((l->width / 2 + 1) / 2);
    const ptrdiff_t x_image = (ptrdiff_t)input_count(l), y_image = (ptrdiff_t)pooled_count(l);
    const size_t transformed = vgg_winograd_weights_count(l->in, l->out);
    float *u = scratch(transformed);
    RUN(winograd_weights, floats(weight_count(l)), u, l->in, 0, panels(l->out));
    RUN(winograd_convolution_relu_pool, &pooled, x_image, floats(2 * input_count(l)), u, floats(padded),
        y_image, floats(2 * pooled_count(l)), winners(2 * pooled_count(l)),
        scratch(vgg_winograd_scratch(l->in)), 0, tiles);
    line("winograd_convolution_relu_pool " LAYER, NUMBERS(l));
    const vgg_winograd_target target = {.panel_begin = 0,
                                        .panel_end = panels(l->out),
                                        .sums = scratch(transformed),
                                        .db = floats(padded),
                                        .start = 1,
                                        .dw = floats(weight_count(l))};
    RUN(winograd_pooled_weight_gradient, &shape, x_image, floats(2 * input_count(l)),
        floats(2 * pooled_count(l)), winners(2 * pooled_count(l)), &target,
        scratch(vgg_winograd_gradient_scratch(l->in)), 0, tiles);
    line("winograd_pooled_weight_gradient " LAYER, NUMBERS(l));
}

void winograd_cases(void) {
    for (size_t i = 0; i < layer_count; i++) {
        const layer *l = &layers[i];
        if (l->stride != 1 || l->kernel < 3)
            continue;
        for (int relu = 0; relu < 2; relu++)
            winograd_case(l, relu);
        if (l->kernel == 3)
            pooled_winograd_case(l);
    }
}

void small_map_cases(void) {
    for (size_t side = 1; side <= VGG_SMALL_MAP; side++) {
        const size_t in = 20, out = 33, images = 8, products = vgg_small_map_products(side);
        const vgg_small_map map = {side, in, out, (ptrdiff_t)((side + 2) * in), (ptrdiff_t)(side * out)};
        const layer l = {in, out, 3, 1, side, side};
        const size_t first = (side + 3) * in; // the first pixel inside the border
        const ptrdiff_t in_part = (ptrdiff_t)vgg_small_map_rows(1, in);
        const ptrdiff_t out_part = (ptrdiff_t)vgg_small_map_rows(1, out);
        float *u = floats(panels(out) * products * vgg_small_map_matrix(in));
        for (size_t i = 0; i < panels(out) * products * vgg_small_map_matrix(in); i++)
            u[i] = 0; // what lies between the matrices is not written
        RUN(small_map_weights, &map, floats(weight_count(&l)), u, 0, panels(out));
        line("small_map_weights %zu", side);
        // Whole panels: what is written behind the last channel of a part of one is nobody's.
        const vgg_small_map even = {side, 32, out, (ptrdiff_t)((side + 2) * 32), map.y_row};
        const size_t even_part = vgg_small_map_rows(1, 32);
        RUN(small_map_inputs, &even, floats((side + 2) * (side + 2) * 32) + (side + 3) * 32,
            floats(products * even_part), (ptrdiff_t)even_part);
        line("small_map_inputs %zu", side);
        for (int pool = 0; pool < (side > 1 ? 2 : 1); pool++) {
            RUN(small_map_outputs, &map, floats(products * (size_t)out_part), out_part,
                floats(panels(out) * VGG_PANEL), floats(output_count(&l)), winners(output_count(&l)), pool,
                1);
            line("small_map_outputs %zu, pool %d", side, pool);
        }
        RUN(small_map_gradients, &map, floats(output_count(&l)), floats(products * (size_t)out_part),
            out_part);
        line("small_map_gradients %zu", side);
        RUN(small_map_input_gradients, &map, floats(products * (size_t)in_part), in_part,
            floats(side * side * in));
        line("small_map_input_gradients %zu", side);
        const tree leaves = tree_of(images);
        RUN(small_map_weight_gradient, &map, (ptrdiff_t)input_count(&l),
            floats(images * input_count(&l)) + first, floats(images * output_count(&l)), leaves.leaves,
            leaves.count, scratch(vgg_small_map_scratch()), floats(weight_count(&l)), 0, panels(out), 0, in);
        line("small_map_weight_gradient %zu", side);
    }
}
