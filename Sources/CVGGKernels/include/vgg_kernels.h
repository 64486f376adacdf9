/// Kernels of swift-vgg: pure functions over memory they are given. No allocation, threads or I/O.
///
/// Layouts, all row-major 32-bit floats:
///   map      [height][width][channels], with a row stride so that a zero border may surround it
///   weights  [panel][kernel row][kernel column][in channel][16]: a panel is 16 output channels, the last
///            one filled up with zeros; a linear layer's are the same with a 1×1 kernel
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Output channels in a panel of weights, whatever the instruction set's vectors are.
enum { VGG_PANEL = 16 };

/// Numbers that may be read past the end of a buffer (never used, only loaded).
enum { VGG_SLACK = 64 };

/// The value of a pool's winner byte where ReLU killed the whole window. (Fused pools let not-a-number
/// through from a window's first position only; in PyTorch it wins from any.)
enum { VGG_POOL_DEAD = 255 };

/// A leaf of a sum over rows that is added as a binary tree: the sum of its rows, in their order, to which so
/// many of the sums that wait for their other half are added, the youngest first. What comes out waits for
/// the next leaf.
typedef struct {
    size_t rows, additions;
} vgg_leaf;

/// The most sums that wait at once.
enum { VGG_TREE_DEPTH = 8 };

/// A strided matrix product with a fused epilogue:
///   c[m][n] = relu?( bias[n] or c[m][n] or 0  +  Σ_outer Σ_inner a[m, outer, inner] · b[outer, inner, n] )
/// Column n lives in panel n / 16. Strides are in floats.
typedef struct {
    const float *a;
    ptrdiff_t a_row, a_outer, a_inner;
    const float *b;
    ptrdiff_t b_panel, b_outer, b_inner;
    float *c;
    ptrdiff_t c_row, c_panel;
    /// One a column, readable to a whole number of panels; NULL for none.
    const float *bias;
    size_t rows, columns, outer, inner;
    /// Where there are any, the inner sum is a tree's, of their rows; outer is 1, and the sum starts from
    /// zero.
    const vgg_leaf *leaves;
    size_t leaf_count;
    /// Start from c instead of zero.
    int accumulate;
    int relu;
} vgg_product;

/// The geometry of a convolution of one image; the input map carries its zero border.
typedef struct {
    size_t in_channels, out_channels, kernel, stride;
    size_t out_height, out_width;
    /// Floats from one row to the next of the input (bordered) and the output.
    ptrdiff_t x_row, y_row;
    /// Floats from one pixel to the next of the output: out_channels, or more where it is dilated.
    ptrdiff_t y_pixel;
} vgg_convolution;

/// Tiles that a Winograd convolution works on at a time, at least; of VGG_WINOGRAD_WIDE
/// channels and more it takes twice as many.
enum { VGG_WINOGRAD_BLOCK = 28, VGG_WINOGRAD_WIDE = 256 };

/// Tiles that a Winograd convolution works on at a time.
static inline size_t vgg_winograd_block(size_t in_channels) {
    return in_channels < VGG_WINOGRAD_WIDE ? VGG_WINOGRAD_BLOCK : 2 * VGG_WINOGRAD_BLOCK;
}

/// Floats from one of Winograd's 36 matrices to the next, for a panel of weights: the in channels filled up
/// to 16s, and a cache line more, because the numbers of a tile would else share a set of the cache.
static inline size_t vgg_winograd_matrix(size_t in_channels) {
    const size_t panel = VGG_PANEL;
    return ((in_channels + panel - 1) / panel * panel + 1) * panel;
}

/// Floats of a convolution's weights transformed for Winograd's algorithm.
static inline size_t vgg_winograd_weights_count(size_t in_channels, size_t out_channels) {
    return 36 * vgg_winograd_matrix(in_channels) * ((out_channels + VGG_PANEL - 1) / VGG_PANEL);
}

/// Output channels that a wide Winograd convolution works on at a time.
enum { VGG_WINOGRAD_COLUMNS = 128 };

/// Floats of scratch memory of a Winograd convolution.
static inline size_t vgg_winograd_scratch(size_t in_channels) {
    const size_t panel = VGG_PANEL, tiles = vgg_winograd_block(in_channels) + 1;
    const size_t columns = in_channels < VGG_WINOGRAD_WIDE ? 2 * panel : VGG_WINOGRAD_COLUMNS;
    return 36 * tiles * ((in_channels + panel - 1) / panel * panel + panel + columns);
}

/// Floats of scratch memory of a Winograd weight gradient.
static inline size_t vgg_winograd_gradient_scratch(size_t in_channels) {
    const size_t panel = VGG_PANEL;
    return 36 * (2 * VGG_WINOGRAD_BLOCK + 1) * ((in_channels + panel - 1) / panel * panel + 2 * panel);
}

/// Where a Winograd weight gradient goes.
typedef struct {
    /// Of out channels.
    size_t panel_begin, panel_end;
    /// The sums of those panels, transformed as winograd_weights'.
    float *sums;
    /// The bias gradient of all out channels, which is added to.
    float *db;
    /// Whether the sums start from zero.
    int start;
    /// Where not NULL, what the sums have come to is written to it, or, with `add`, added: the same panels of
    /// weights.
    float *dw;
    int add;
} vgg_winograd_target;

/// A 3×3 convolution with stride 1 and padding 1 on square maps of at most VGG_SMALL_MAP pixels a side, whose
/// images are rows of matrices (small_map.inc).
typedef struct {
    size_t side, in_channels, out_channels;
    /// Floats from one row to the next of the input (bordered) and the output.
    ptrdiff_t x_row, y_row;
} vgg_small_map;

/// The most pixels of a side.
enum { VGG_SMALL_MAP = 4 };

/// Matrices that are multiplied.
static inline size_t vgg_small_map_products(size_t side) {
    const size_t line = side == 4 ? 6 : side == 1 ? 1 : side + 1;
    return line * line;
}

/// Floats from one image to the next in such a matrix, and from one matrix to the next: no multiples of what
/// the ways of a cache share.
static inline size_t vgg_small_map_row(size_t channels) {
    return (channels + VGG_PANEL - 1) / VGG_PANEL * VGG_PANEL + VGG_PANEL;
}
static inline size_t vgg_small_map_rows(size_t images, size_t channels) {
    return images * vgg_small_map_row(channels) + VGG_PANEL;
}

/// Floats from one product's weights to the next's, of a panel.
static inline size_t vgg_small_map_matrix(size_t in_channels) { return (in_channels + 1) * VGG_PANEL; }

/// What a weight gradient takes through the images of a leaf together, so many in channels at most and panels
/// of out channels; and how many images at once.
enum { VGG_SMALL_MAP_CHANNELS = 98, VGG_SMALL_MAP_PANELS = 4, VGG_SMALL_MAP_IMAGES = 16 };

/// Floats of scratch memory of a weight gradient: the sums of a tile of at most 14 rows and the transformed
/// images; the taps of all leaves that wait.
static inline size_t vgg_small_map_transformed(void) {
    const size_t images = VGG_SMALL_MAP_IMAGES, channels = VGG_SMALL_MAP_CHANNELS;
    return 36 *
           (14 * VGG_PANEL + images * VGG_SMALL_MAP_PANELS * VGG_PANEL + channels * (images + VGG_PANEL));
}
static inline size_t vgg_small_map_scratch(void) {
    return vgg_small_map_transformed() +
           (VGG_TREE_DEPTH + 1) * 9 * (size_t)(VGG_SMALL_MAP_CHANNELS * VGG_SMALL_MAP_PANELS * VGG_PANEL);
}

/// A map in memory.
typedef struct {
    size_t height, width, channels;
    ptrdiff_t row, pixel;
} vgg_map;

/// A batch norm of a plain map z, with the ReLU and, after that, the 2×2 max pool that may follow. What is
/// given for each channel is readable to whole panels; a kernel reads what its definition names.
typedef struct {
    size_t height, width, channels;
    int relu, pool;
    const float *scale, *shift, *mean;
    const float *gradient_factor, *z_factor, *constant;
} vgg_norm;

/// An update of parameters in PyTorch's definitions: Adam where there are `squares`, else SGD.
typedef struct {
    /// Adam's is divided by the correction of the first moment.
    float learning_rate;
    /// Times the parameter, added to the gradient.
    float weight_decay;
    /// How much of the momentum is kept, and how much of the gradient comes into it. Adam adds the share of
    /// what the gradient is more than the momentum.
    float keep, share;
    int nesterov;
    /// Adam's: what the parameters are multiplied by first, the same for the squares, the factor of their
    /// root that corrects it, and what is then added.
    float shrink, square_keep, square_share, correction, epsilon;
    /// How far the average moves towards the parameters.
    float average_share;
    /// What lies beside the parameters, the same numbers in the same order; NULL where there is none. Adam
    /// has both of the first.
    float *momentum, *squares, *average;
} vgg_update;

/// The one list of kernels: name and parameters. It makes the table below and every instruction set's
/// implementation of it.
#define VGG_KERNEL_LIST(KERNEL)                                                                                 \
    /* The strided product, in tiles of registers. */                                                           \
    KERNEL(product, (const vgg_product *product))                                                               \
    /* Output rows row_begin..<row_end of a convolution with bias (may be NULL) and optional ReLU. Also the     \
       gradient of the input, with flipped weights. */                                                          \
    KERNEL(convolution, (const vgg_convolution *shape, const float *x, const float *weights,                    \
                         const float *bias, float *y, size_t row_begin, size_t row_end, int relu))              \
    /* Convolution, bias, ReLU and 2×2 max pool with stride 2; pooled rows row_begin..<row_end. y_row and      \
       y_pixel are the pooled map's. winner (may be NULL) gets 0...3, row-major in the window, or               \
       VGG_POOL_DEAD. */                                                                                        \
    KERNEL(convolution_relu_pool,                                                                               \
           (const vgg_convolution *shape, const float *x, const float *weights, const float *bias, float *y,    \
            uint8_t *winner, size_t row_begin, size_t row_end))                                                 \
    /* Adds one image's weight gradient to dw (panels) and bias gradient to db; y_row and y_pixel are dy's.     \
     */                                                                                                         \
    KERNEL(convolution_weight_gradient,                                                                         \
           (const vgg_convolution *shape, const float *x, const float *dy, float *dw, float *db))               \
    /* The same for a 3×3 kernel with stride 1 under a fused pool, from the gradient [pooled row][pooled       \
       column][oc] of the pooled map and its winners, whose y_row and y_pixel are the shape's; out_height       \
       and out_width are those before the pool. */                                                              \
    KERNEL(pooled_weight_gradient, (const vgg_convolution *shape, const float *x, const float *gradient,        \
                                    const uint8_t *winner, float *dw, float *db))                               \
    /* Panels panel_begin..<panel_end of 3×3 weights transformed for Winograd's F(4×4, 3×3):                 \
       [oc / 16][36][ic, whole panels][16]. */                                                                  \
    KERNEL(winograd_weights, (const float *weights, float *transformed, size_t in_channels,                     \
                              size_t panel_begin, size_t panel_end))                                            \
    /* A 3×3 convolution with stride 1 by Winograd's F(4×4, 3×3), of tiles tile_begin..<tile_end. Tiles      \
       of 4×4 outputs are counted image by image, row by row; x_image and y_image are the floats from one      \
       image to the next. Every split into ranges gives the same bits. */                                       \
    KERNEL(winograd_convolution, (const vgg_convolution *shape, ptrdiff_t x_image, const float *x,              \
                                  const float *transformed, const float *bias, ptrdiff_t y_image, float *y,     \
                                  float *scratch, size_t tile_begin, size_t tile_end, int relu))                \
    /* The same with ReLU and 2×2 max pool, as convolution_relu_pool; winners lie image by image. */           \
    KERNEL(winograd_convolution_relu_pool,                                                                      \
           (const vgg_convolution *shape, ptrdiff_t x_image, const float *x, const float *transformed,          \
            const float *bias, ptrdiff_t y_image, float *y, uint8_t *winner, float *scratch,                    \
            size_t tile_begin, size_t tile_end))                                                                \
    /* The weight gradient of tiles tile_begin..<tile_end for some panels of out channels; shape's y_row and    \
       y_pixel are dy's. Ranges must be added in order. */                                                      \
    KERNEL(winograd_weight_gradient,                                                                            \
           (const vgg_convolution *shape, ptrdiff_t x_image, const float *x, ptrdiff_t dy_image,                \
            const float *dy, const vgg_winograd_target *target, float *scratch, size_t tile_begin,              \
            size_t tile_end))                                                                                   \
    /* The same three kernels for 5×5 convolutions, by F(2×2, 5×5): tiles of 2×2 outputs. */                \
    KERNEL(five_winograd_weights, (const float *weights, float *transformed, size_t in_channels,                \
                                   size_t panel_begin, size_t panel_end))                                       \
    KERNEL(five_winograd_convolution,                                                                           \
           (const vgg_convolution *shape, ptrdiff_t x_image, const float *x, const float *transformed,          \
            const float *bias, ptrdiff_t y_image, float *y, float *scratch, size_t tile_begin,                  \
            size_t tile_end, int relu))                                                                         \
    KERNEL(five_winograd_weight_gradient,                                                                       \
           (const vgg_convolution *shape, ptrdiff_t x_image, const float *x, ptrdiff_t dy_image,                \
            const float *dy, const vgg_winograd_target *target, float *scratch, size_t tile_begin,              \
            size_t tile_end))                                                                                   \
    /* The same under a fused pool, from the pooled gradient and its winners, both dense, image by image;       \
       out_height and out_width are those before the pool, tiles those of the pooled convolution. */            \
    KERNEL(winograd_pooled_weight_gradient,                                                                     \
           (const vgg_convolution *shape, ptrdiff_t x_image, const float *x, const float *gradient,             \
            const uint8_t *winner, const vgg_winograd_target *target, float *scratch, size_t tile_begin,        \
            size_t tile_end))                                                                                   \
    /* Panels panel_begin..<panel_end of weights as a small map's products read them:                           \
       [oc / 16][products][ic][16]. */                                                                          \
    KERNEL(small_map_weights, (const vgg_small_map *map, const float *weights, float *transformed,              \
                               size_t panel_begin, size_t panel_end))                                           \
    /* An image's row of the matrices of inputs, `product` floats apart; x is its first pixel inside the        \
       border. Rows are written to a whole number of panels. */                                                 \
    KERNEL(small_map_inputs, (const vgg_small_map *map, const float *x, float *v, ptrdiff_t product))           \
    /* An image's outputs from its row of the products, with bias and optional ReLU, or with ReLU and 2×2      \
       max pool as convolution_relu_pool. */                                                                    \
    KERNEL(small_map_outputs, (const vgg_small_map *map, const float *m, ptrdiff_t product,                     \
                               const float *bias, float *y, uint8_t *winner, int pool, int relu))               \
    /* An image's row of the matrices of gradients, from its dense gradient [side][side][oc]. */                \
    KERNEL(small_map_gradients, (const vgg_small_map *map, const float *dy, float *d, ptrdiff_t product))       \
    /* An image's dense gradient of the input from its row of the products of weights and gradients. */         \
    KERNEL(small_map_input_gradients,                                                                           \
           (const vgg_small_map *map, const float *m, ptrdiff_t product, float *dx))                            \
    /* The weight gradient of some panels and in channels, as a tree of images: from their first pixels         \
       inside the border, x_image floats apart, and dense gradients. */                                         \
    KERNEL(small_map_weight_gradient,                                                                           \
           (const vgg_small_map *map, ptrdiff_t x_image, const float *x, const float *dy,                       \
            const vgg_leaf *leaves, size_t leaf_count, float *scratch, float *dw, size_t panel_begin,           \
            size_t panel_end, size_t in_begin, size_t in_end))                                                  \
    /* Weights for the gradient of the input: kernel rotated by 180°, in and out channels exchanged; panels    \
       panel_begin..<panel_end of the in channels. */                                                           \
    KERNEL(flip_weights, (const float *weights, float *flipped, size_t in_channels, size_t out_channels,        \
                          size_t kernel, size_t panel_begin, size_t panel_end))                                 \
    /* dy = gradient where y > 0 (everywhere where y is NULL), zero elsewhere. */                               \
    KERNEL(mask_gradient,                                                                                       \
           (const vgg_map *y_map, const float *y, const float *gradient, const vgg_map *dy_map, float *dy))     \
    /* Spreads the gradient of pooled 2×2 windows to their winners; dy_map's other pixels become zero. */      \
    KERNEL(unpool_gradient, (const float *gradient, const uint8_t *winner, size_t pooled_height,                \
                             size_t pooled_width, const vgg_map *dy_map, float *dy))                            \
    /* out[column][row] = in[row][column], and zero from row `rows` up to `filled`. */                          \
    KERNEL(transpose, (const float *in, ptrdiff_t in_row, size_t rows, size_t columns, float *out,              \
                       ptrdiff_t out_row, size_t filled))                                                       \
    /* Each channel's mean of some rows, and the sum of squares about it, in double precision, with those of    \
       `before` rows, which stand there. */                                                                     \
    KERNEL(channel_moments,                                                                                     \
           (const float *x, size_t rows, size_t channels, size_t before, double *means, double *squares))       \
    /* y = relu?(z · scale + shift), or, with pool, the 2×2 max pool with stride 2 of its ReLU and where it   \
       was won, as convolution_relu_pool. */                                                                    \
    KERNEL(normalize,                                                                                           \
           (const vgg_norm *norm, const float *z, const vgg_map *y_map, float *y, uint8_t *winner))             \
    /* sums[c] += Σ g, dots[c] += Σ g · (z - mean), where g is the gradient of z · scale + shift: from that \
       of y, dense, masked where a ReLU follows, or from that of the pool and its winners. */                   \
    KERNEL(norm_sums, (const vgg_norm *norm, const float *z, const float *gradient, const uint8_t *winner,      \
                       double *sums, double *dots))                                                             \
    /* dz = gradient_factor · g + z_factor · z + constant, with the same g. */                                \
    KERNEL(norm_gradient, (const vgg_norm *norm, const float *z, const float *gradient,                         \
                           const uint8_t *winner, const vgg_map *dz_map, float *dz))                            \
    /* Updates count parameters, a multiple of 16, from number `first` of those that the update is of. */       \
    KERNEL(update, (const vgg_update *update, float *parameters, const float *gradients, size_t first,          \
                    size_t count))                                                                              \
    /* total[i] = Σ over the leaves' rows of rows[row · stride + i], as a tree. */                            \
    KERNEL(sum_tree, (const float *rows, ptrdiff_t stride, const vgg_leaf *leaves, size_t leaf_count,           \
                      float *total, size_t count))                                                              \
    /* y += x. */                                                                                               \
    KERNEL(add, (const float *x, float *y, size_t count))                                                       \
    /* y = relu(x); may be in place. */                                                                         \
    KERNEL(relu, (const float *x, float *y, size_t count))                                                      \
    /* gradient = 0 where y is not positive. */                                                                 \
    KERNEL(relu_gradient, (const float *y, float *gradient, size_t count))                                      \
    /* Dropout by counter: element i (counted from offset, a multiple of 4) of the sequence is kept and         \
       scaled where Philox4x32-10(seed, stream, sequence, i) is at least threshold. Its own inverse for         \
       gradients. */                                                                                            \
    KERNEL(dropout, (const float *x, float *y, size_t count, uint64_t offset, uint64_t seed,                    \
                     uint32_t stream, uint32_t sequence, uint32_t layer, uint32_t threshold, float scale))

/// A table of kernels for one instruction set.
typedef struct {
#define VGG_FIELD(name, parameters) void(*name) parameters;
    VGG_KERNEL_LIST(VGG_FIELD)
#undef VGG_FIELD
} vgg_kernels;

/// The one list of the instruction sets of this kind of processor that kernels exist for, in rising order:
/// name, whose table of kernels it has, and whose table of those of mixed precision.
#if defined(__x86_64__)
#define VGG_INSTRUCTION_SET_LIST(SET)                                                                        \
    SET(portable, portable, portable)                                                                        \
    SET(avx2, avx2, avx2)                                                                                    \
    SET(avx512, avx512, avx512)                                                                              \
    SET(avx512bf16, avx512, avx512bf16)
#elif defined(__aarch64__)
// In fp32 plain C is vectors of 128 bits, which are NEON's.
#define VGG_INSTRUCTION_SET_LIST(SET) SET(portable, portable, portable) SET(neon, portable, neon)
#else
#define VGG_INSTRUCTION_SET_LIST(SET) SET(portable, portable, portable)
#endif

/// Their numbers: VGG_ISA_portable is 0.
typedef enum {
#define VGG_NUMBER(name, table, bf16_table) VGG_ISA_##name,
    VGG_INSTRUCTION_SET_LIST(VGG_NUMBER)
#undef VGG_NUMBER
} vgg_instruction_set;

/// The name of instruction set `index` of the list, NULL after the last.
const char *vgg_instruction_set_name(size_t index);

/// The name of kernel `index` of both lists, NULL after the last.
const char *vgg_kernel_name(size_t index);

/// The best instruction set this processor has and its operating system saves the registers of.
vgg_instruction_set vgg_best_instruction_set(void);

/// The kernels of an instruction set.
const vgg_kernels *vgg_kernels_for(vgg_instruction_set set);

// Kernels of one, portable form: they are not where time goes.

/// Sets the border of a map to zero: `border` pixels of `pixel_bytes` on every side of height × width.
void vgg_zero_border(void *map, size_t height, size_t width, size_t pixel_bytes, size_t border);

/// Max pool of any window and stride; winner (may be NULL) gets the position in the window, row-major.
void vgg_max_pool(const vgg_map *x_map, const float *x, size_t window, size_t stride, const vgg_map *y_map,
                  float *y, uint16_t *winner);

/// Adds the gradient of max-pooled windows to their winners; dx must be zero before.
void vgg_max_pool_gradient(const float *gradient, const uint16_t *winner, size_t pooled_height,
                           size_t pooled_width, size_t window, size_t stride, const vgg_map *dx_map,
                           float *dx);

/// Average pool with the windows [begin, end) of `rows` and `columns`: pairs, one for each output row and
/// column. Fixed and adaptive pools are this one.
void vgg_average_pool(const vgg_map *x_map, const float *x, const size_t *rows, const size_t *columns,
                      const vgg_map *y_map, float *y);

/// Adds the gradient of average-pooled windows to dx, which must be zero before.
void vgg_average_pool_gradient(const float *gradient, const size_t *rows, const size_t *columns,
                               const vgg_map *y_map, const vgg_map *dx_map, float *dx);

/// What a network is to say about an example: 1 at its label's class, less the share of the class of the
/// partner that it is mixed with, less what all classes then share alike (`smoothing`); each from 0 to 1.
typedef struct {
    int32_t label, partner;
    float share, smoothing;
    /// How much each class counts in the loss; NULL where all count alike.
    const float *weights;
} vgg_target;

/// Softmax cross-entropy of one example, Σ of weight · target · -log(probability): returns the loss; writes
/// the gradient times `scale` unless NULL.
double vgg_softmax_cross_entropy(const float *logits, size_t classes, const vgg_target *target, float scale,
                                 float *gradient);

#ifdef __cplusplus
}
#endif
