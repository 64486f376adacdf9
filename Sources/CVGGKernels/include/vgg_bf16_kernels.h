#pragma once

#include "vgg_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// The kernels of mixed precision: one list makes their declarations and every implementation's table.
//
// A bf16 number is the upper 16 bits of a 32-bit float, kept in a uint16_t. All sums run in 32-bit floats;
// results are rounded once, to the nearest with ties to even, when they are stored.
//
// Layouts (strides in elements of the array they belong to):
//   map      [height][width][channels] of bf16, with a row stride so that a zero border may surround it
//   weights  [panel][kernel row][pair][16][2] of bf16: the kernel · channels inputs of a kernel row by
//            twos, in their order in memory, so that one 32-bit load of the map is what a pair meets; where
//            they are odd the last pair's second element is zero and meets a zero, never what follows
//   gradients and biases are fp32, in the panels of the fp32 kernels

/// The elements of bf16 weights.
static inline size_t vgg_bf16_weights_count(size_t in_channels, size_t out_channels, size_t kernel) {
    return (out_channels + 15) / 16 * kernel * ((kernel * in_channels + 1) / 2) * 32;
}

/// The elements of the weights of bf16_pooled_input_gradient.
static inline size_t vgg_bf16_pooled_weights_count(size_t in_channels, size_t out_channels) {
    return (in_channels + 15) / 16 * ((out_channels + 1) / 2) * 9 * 32;
}

/// Input channels of Winograd's F(2×2, 3×3), filled up to a whole number of its blocks of channels.
static inline size_t vgg_bf16_winograd_channels(size_t in_channels) { return (in_channels + 31) / 32 * 32; }

/// Tiles of 2×2 outputs that it works on at a time: as many as stay in a second-level cache, a multiple
/// of 14.
static inline size_t vgg_bf16_winograd_block(size_t in_channels) {
    const size_t tiles = 18432 / vgg_bf16_winograd_channels(in_channels) / 14 * 14;
    return tiles < 28 ? 28 : tiles > 98 ? 98 : tiles;
}

/// The elements of 3×3 weights transformed for it.
static inline size_t vgg_bf16_winograd_weights_count(size_t in_channels, size_t out_channels) {
    return (out_channels + 15) / 16 * 16 * 16 * vgg_bf16_winograd_channels(in_channels);
}

/// Floats of its scratch memory.
static inline size_t vgg_bf16_winograd_scratch(size_t in_channels) {
    return 16 * vgg_bf16_winograd_block(in_channels) * (32 + vgg_bf16_winograd_channels(in_channels) / 2);
}

/// Elements of scratch memory of bf16_weight_gradient.
size_t vgg_bf16_weight_gradient_scratch(const vgg_convolution *shape);

/// Elements of scratch memory of bf16_pooled_weight_gradient.
size_t vgg_bf16_pooled_weight_gradient_scratch(const vgg_convolution *shape);

/// Floats of scratch memory of bf16_pooled_input_gradient.
size_t vgg_bf16_pooled_input_gradient_scratch(const vgg_convolution *shape);

/// A linear layer of `rows` examples. The rows of x and dy are fastest where 2 · stride bytes are not a
/// multiple of 1024: a tile reads up to 14 of them at once (AVX-512), which would share a few sets of the
/// first-level cache.
typedef struct {
    size_t rows, inputs, outputs;
    /// Elements from one example to the next, of x and y or of their gradients.
    ptrdiff_t x_row, y_row;
    /// The tree that the gradients of weights and bias are summed in.
    const vgg_leaf *leaves;
    size_t leaf_count;
} vgg_linear;

/// Pairs of neighbouring examples; no pair is of two leaves, so that in an odd one the last example has none
/// beside it.
static inline size_t vgg_linear_pairs(const vgg_linear *s) {
    size_t pairs = 0;
    for (size_t leaf = 0; leaf < s->leaf_count; leaf++)
        pairs += (s->leaves[leaf].rows + 1) / 2;
    return pairs;
}

/// Inputs that one call of bf16_linear_backward walks at a time; ranges are best multiples of it, and always
/// of VGG_PANEL.
enum { VGG_LINEAR_INPUTS = 64 };
/// Inputs in a block of the forward product, and outputs in one of the gradients.
enum { VGG_LINEAR_BLOCK = 512, VGG_LINEAR_OUTPUTS = 256 };

/// Floats of scratch memory of bf16_linear_forward.
static inline size_t vgg_bf16_linear_forward_scratch(const vgg_linear *s) {
    return s->rows * 32 + VGG_LINEAR_BLOCK * 16;
}

/// Floats of scratch memory of bf16_linear_backward.
static inline size_t vgg_bf16_linear_backward_scratch(const vgg_linear *s) {
    return s->rows * VGG_LINEAR_INPUTS + VGG_LINEAR_INPUTS * VGG_LINEAR_OUTPUTS / 2;
}

#define VGG_BF16_KERNEL_LIST(KERNEL)                                                                           \
    /* Conversions of a row. */                                                                                \
    KERNEL(bf16_from_float, (const float *from, uint16_t *to, size_t count))                                   \
    KERNEL(bf16_to_float, (const uint16_t *from, float *to, size_t count))                                     \
    /* Panels panel_begin..<panel_end of fp32 weights as pairs. */                                             \
    KERNEL(bf16_pack_weights, (const float *weights, uint16_t *packed, size_t in_channels, size_t kernel,      \
                               size_t panel_begin, size_t panel_end))                                          \
    /* The same for the gradient of the input: kernel rotated by 180°, in and out channels exchanged; panels  \
       of the in channels, [ic / 16][kernel row][kernel · out_channels / 2][16][2]. */                        \
    KERNEL(bf16_pack_flipped_weights,                                                                          \
           (const float *weights, uint16_t *packed, size_t in_channels, size_t out_channels, size_t kernel,    \
            size_t panel_begin, size_t panel_end))                                                             \
    /* Output rows row_begin..<row_end with bias (NULL for none, else readable to whole panels) and optional   \
       ReLU. Also the gradient of the input, with flipped weights. */                                          \
    KERNEL(bf16_convolution, (const vgg_convolution *shape, const uint16_t *x, const uint16_t *weights,        \
                              const float *bias, uint16_t *y, size_t row_begin, size_t row_end, int relu))     \
    /* Convolution, bias, ReLU and 2×2 max pool with stride 2; pooled rows row_begin..<row_end. y_row and     \
       y_pixel are the pooled map's. winner (may be NULL) gets 0...3, row-major in the window, or              \
       VGG_POOL_DEAD, decided before rounding. */                                                              \
    KERNEL(bf16_convolution_relu_pool,                                                                         \
           (const vgg_convolution *shape, const uint16_t *x, const uint16_t *weights, const float *bias,       \
            uint16_t *y, uint8_t *winner, size_t row_begin, size_t row_end))                                   \
    /* Panels panel_begin..<panel_end of 3×3 weights transformed for Winograd's F(2×2, 3×3), rounded. */    \
    KERNEL(bf16_winograd_weights, (const float *weights, uint16_t *transformed, size_t in_channels,            \
                                   size_t panel_begin, size_t panel_end))                                      \
    /* A 3×3 convolution with stride 1 by Winograd's F(2×2, 3×3), of tiles tile_begin..<tile_end, with bias \
       (may be NULL), optional ReLU and, with pool, ReLU and 2×2 max pool with stride 2 (y_row and y_pixel    \
       are then the pooled map's, and winner, which may be NULL, gets what bf16_convolution_relu_pool says,    \
       of pooled maps that follow each other). Tiles of 2×2 outputs (the pool's windows) are counted image    \
       by image, row by row; x_image and y_image are the elements from one image to the next. Where y_fp32     \
       is not NULL it is written instead of y. Every split into ranges gives the same bits. */                 \
    KERNEL(bf16_winograd_convolution,                                                                          \
           (const vgg_convolution *shape, ptrdiff_t x_image, const uint16_t *x, const uint16_t *transformed,   \
            const float *bias, ptrdiff_t y_image, uint16_t *y, float *y_fp32, uint8_t *winner,                 \
            float *scratch, size_t tile_begin, size_t tile_end, int relu, int pool))                           \
    /* Adds one image's weight gradient to dw and bias gradient to db; y_row and y_pixel are dy's. */          \
    KERNEL(bf16_weight_gradient, (const vgg_convolution *shape, const uint16_t *x, const uint16_t *dy,         \
                                  float *dw, float *db, uint16_t *scratch))                                    \
    /* The same for a 3×3 kernel with stride 1 under a fused pool, from the gradient [pooled row][pooled      \
       column][oc] of the pooled map and its winners, whose y_row and y_pixel are the shape's; out_height      \
       and out_width are those before the pool. */                                                             \
    KERNEL(bf16_pooled_weight_gradient,                                                                        \
           (const vgg_convolution *shape, const uint16_t *x, const uint16_t *gradient,                         \
            const uint8_t *winner, float *dw, float *db, uint16_t *scratch))                                   \
    /* The weights of a 3×3 kernel for the next: [ic / 16][pair of oc][tap][16 in channels][2 out channels],  \
       filled up with zeros; panels panel_begin..<panel_end of the in channels. */                             \
    KERNEL(bf16_pack_pooled_weights, (const float *weights, uint16_t *packed, size_t in_channels,              \
                                      size_t out_channels, size_t panel_begin, size_t panel_end))              \
    /* The gradient of the input of the same; x_row is dx's, whose pixels are in_channels apart. */            \
    KERNEL(bf16_pooled_input_gradient,                                                                         \
           (const vgg_convolution *shape, const uint16_t *gradient, const uint8_t *winner,                     \
            const uint16_t *weights, uint16_t *dx, float *scratch))                                            \
    /* dy = gradient where y > 0 (everywhere where y is NULL), zero elsewhere. */                              \
    KERNEL(bf16_mask_gradient, (const vgg_map *y_map, const uint16_t *y, const uint16_t *gradient,             \
                                const vgg_map *dy_map, uint16_t *dy))                                          \
    /* Spreads the gradient of pooled 2×2 windows to their winners; dy_map's other pixels become zero. */     \
    KERNEL(bf16_unpool_gradient, (const uint16_t *gradient, const uint8_t *winner, size_t pooled_height,       \
                                  size_t pooled_width, const vgg_map *dy_map, uint16_t *dy))                   \
    /* Batch norm, as channel_moments, normalize, norm_sums and norm_gradient. */                              \
    KERNEL(bf16_channel_moments,                                                                               \
           (const uint16_t *x, size_t rows, size_t channels, size_t before, double *means, double *squares))   \
    KERNEL(bf16_normalize,                                                                                     \
           (const vgg_norm *norm, const uint16_t *z, const vgg_map *y_map, uint16_t *y, uint8_t *winner))      \
    KERNEL(bf16_norm_sums, (const vgg_norm *norm, const uint16_t *z, const uint16_t *gradient,                 \
                            const uint8_t *winner, double *sums, double *dots))                                \
    KERNEL(bf16_norm_gradient, (const vgg_norm *norm, const uint16_t *z, const uint16_t *gradient,             \
                                const uint8_t *winner, const vgg_map *dz_map, uint16_t *dz))                   \
    /* gradient = 0 where y is not positive. */                                                                \
    KERNEL(bf16_relu_gradient, (const uint16_t *y, uint16_t *gradient, size_t count))                          \
    /* Output panels panel_begin..<panel_end of y = relu?(x · W + bias) from fp32 weights                     \
       [output / 16][input][16], or, where rounded is not NULL, from what bf16_pack_weights makes of them      \
       with a kernel of 1. Where y is NULL, y_fp32 is written instead. */                                      \
    KERNEL(bf16_linear_forward, (const vgg_linear *shape, const uint16_t *x, const float *weights,             \
                                 const uint16_t *rounded, const float *bias, uint16_t *y, float *y_fp32,       \
                                 float *scratch, size_t panel_begin, size_t panel_end, int relu))              \
    /* transposed[input][pair of examples][2], filled up with zeros, for inputs input_begin..<input_end. */    \
    KERNEL(bf16_linear_transpose, (const vgg_linear *shape, const uint16_t *x, uint16_t *transposed,           \
                                   size_t input_begin, size_t input_end))                                      \
    /* pairs[output / 16][pair of examples][16][2] of panels panel_begin..<panel_end, filled up with zeros;    \
       and the bias gradient db (floats, whole panels). */                                                     \
    KERNEL(bf16_linear_pair, (const vgg_linear *shape, const uint16_t *dy, uint16_t *pairs, float *db,         \
                              size_t panel_begin, size_t panel_end))                                           \
    /* For inputs input_begin..<input_end (see VGG_LINEAR_INPUTS): dx = dy · Wᵀ (rows of x_row elements,    \
       unless NULL), and the weight gradient: stored in dw, or, where dw is NULL, used at once to update       \
       weights, which the update is of, without being stored. */                                               \
    KERNEL(bf16_linear_backward,                                                                               \
           (const vgg_linear *shape, const uint16_t *transposed, const uint16_t *dy, const uint16_t *pairs,    \
            float *weights, float *dw, const vgg_update *update, uint16_t *dx, float *scratch,                 \
            size_t input_begin, size_t input_end))

/// A table of the kernels of mixed precision.
typedef struct {
#define VGG_BF16_FIELD(name, parameters) void(*name) parameters;
    VGG_BF16_KERNEL_LIST(VGG_BF16_FIELD)
#undef VGG_BF16_FIELD
} vgg_bf16_kernels;

/// The kernels of mixed precision for an instruction set. Those with vectors are one source and give the same
/// bits; plain C adds in another order.
const vgg_bf16_kernels *vgg_bf16_kernels_for(vgg_instruction_set set);

#ifdef __cplusplus
}
#endif
