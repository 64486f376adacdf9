// What several kernels use. The files of this folder are compiled as one text, this one first.
//
// Activations are [image][channel][row][column] and weights as PyTorch has them, so that neighbours in
// memory, which neighbouring work-items read together, are neighbours in a map. Every sum is made in one
// order: by one work-item, or by a group as a tree, or part by part; nothing is added atomically. Products
// are added by `fma` alone, so that every compiler rounds alike.

#pragma OPENCL FP_CONTRACT OFF

// GROUP and SUM_GROUP are the work-items of a group that makes a tile of a product of matrices, and of one
// that adds up. A tile has TILE rows and columns, of which each work-item makes 4×4 numbers. The host defines
// them (`KernelSizes`).

// A tile walks through so much of what is summed over at a time.
#define DEPTH 16
// From one row of a tile in local memory to the next; the rest spreads the rows over the memory's banks.
#define PITCH (TILE + 4)

// A convolution, and the ReLU and the 2×2 max pool after it, each 0 or 1.
typedef struct {
    int count, channels, height, width;
    // Before the pool.
    int out, out_height, out_width;
    int extent, stride, padding;
    int relu, pool;
} convolution_shape;

// Adds to the work-item's 4×4 numbers the products of DEPTH columns of `a` and rows of `b`: sums[i] is of row
// i.
void multiply_tiles(local const float *a, local const float *b, float4 *sums) {
    const int row = get_local_id(0) / (TILE / 4) * 4;
    const int column = get_local_id(0) % (TILE / 4) * 4;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < DEPTH; k++) {
        const float4 left = vload4(0, a + k * PITCH + row);
        const float4 right = vload4(0, b + k * PITCH + column);
        sums[0] = fma((float4)(left.x), right, sums[0]);
        sums[1] = fma((float4)(left.y), right, sums[1]);
        sums[2] = fma((float4)(left.z), right, sums[2]);
        sums[3] = fma((float4)(left.w), right, sums[3]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

// The numbers of a row, to be looked at one by one.
void numbers_of(float4 row, float *numbers) { vstore4(row, 0, numbers); }

// The sum of all work-items' values, known to all of them. `shared` has a place for each.
float group_sum(local float *shared, float value) {
    const int id = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    shared[id] = value;
    for (int half_size = SUM_GROUP / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (id < half_size)
            shared[id] += shared[id + half_size];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return shared[0];
}

// What is not a number stays it, and is seen.
float rectified(float value) { return value < 0 ? 0 : value; }

// The largest of a window's four numbers, if it is positive, else 0; `winner` becomes its place, or 4. The
// first of equals wins, as in PyTorch.
float pooled(const float *window, uchar *winner) {
    float best = window[0];
    *winner = 0;
    for (uchar i = 1; i < 4; i++)
        if (window[i] > best || window[i] != window[i]) {
            best = window[i];
            *winner = i;
        }
    if (best <= 0)
        *winner = 4;
    return rectified(best);
}

// The gradient of pixel (y, x) of a convolution's map `map` (of an image and a channel) before ReLU and pool:
// of the map itself, or where a pool follows of the pooled one and its winners.
float gradient_at(global const float *gradient, global const uchar *winners, const convolution_shape *shape,
                  size_t map, int y, int x) {
    if (!shape->pool)
        return gradient[(map * shape->out_height + y) * shape->out_width + x];
    const int height = shape->out_height / 2, width = shape->out_width / 2;
    if (y / 2 >= height || x / 2 >= width)
        return 0;
    const size_t place = (map * height + y / 2) * width + x / 2;
    return winners[place] == y % 2 * 2 + x % 2 ? gradient[place] : 0;
}
