// Every kernel of the lists, at small shapes, on numbers that are the same on every processor: what prints
// the same lines has the same bits.
#pragma once

#include "vgg_bf16_kernels.h"
#include "vgg_kernels.h"

/// The tables that are run.
extern const vgg_kernels *kernels;
extern const vgg_bf16_kernels *mixed;

/// Memory of the case at hand, with drawn numbers in it and behind it. Who writes where nothing should be
/// written changes the case's line.
float *floats(size_t count);
uint16_t *bf16s(size_t count);
double *doubles(size_t count);
uint8_t *winners(size_t count);
/// The same for what a kernel may leave behind as it likes.
float *scratch(size_t count);

/// The leaves of a sum over so many rows as a tree of four.
typedef struct {
    vgg_leaf leaves[4];
    size_t count;
} tree;
tree tree_of(size_t rows);

/// Ends the case: prints its line and frees its memory.
void line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Notes that a kernel has a case.
void called(const char *kernel);
#define RUN(kernel, ...) (called(#kernel), kernels->kernel(__VA_ARGS__))
#define RUN_MIXED(kernel, ...) (called(#kernel), mixed->kernel(__VA_ARGS__))

void product_cases(void);
void convolution_cases(void);
void winograd_cases(void);
void small_map_cases(void);
void streaming_cases(void);
void pool_cases(void);
void mixed_convolution_cases(void);
void mixed_linear_cases(void);

/// Shapes of convolutions: kernels of each kind, channels that fill no panel, maps that fill no tile.
typedef struct {
    size_t in, out, kernel, stride, height, width;
} layer;
extern const layer layers[];
extern const size_t layer_count;

static inline size_t panels(size_t channels) { return (channels + VGG_PANEL - 1) / VGG_PANEL; }

/// Its geometry; the output is the whole map or, `pooled`, that after a 2×2 pool.
static inline vgg_convolution shape_of(const layer *l, int pooled) {
    return (vgg_convolution){
        .in_channels = l->in,
        .out_channels = l->out,
        .kernel = l->kernel,
        .stride = l->stride,
        .out_height = l->height,
        .out_width = l->width,
        .x_row = (ptrdiff_t)(((l->width - 1) * l->stride + l->kernel) * l->in),
        .y_row = (ptrdiff_t)((pooled ? l->width / 2 : l->width) * l->out),
        .y_pixel = (ptrdiff_t)l->out,
    };
}
static inline size_t input_count(const layer *l) {
    return (size_t)shape_of(l, 0).x_row * ((l->height - 1) * l->stride + l->kernel);
}
static inline size_t output_count(const layer *l) { return l->height * l->width * l->out; }
static inline size_t pooled_count(const layer *l) { return l->height / 2 * (l->width / 2) * l->out; }
static inline size_t weight_count(const layer *l) {
    return panels(l->out) * VGG_PANEL * l->kernel * l->kernel * l->in;
}
#define LAYER "%zu→%zu, %zu×%zu/%zu, %zu×%zu"
#define NUMBERS(l) (l)->in, (l)->out, (l)->kernel, (l)->kernel, (l)->stride, (l)->height, (l)->width
