// What several kernels use. The files of this folder are compiled as one text, this one first.
//
// Activations are [image][channel][row][column] and weights as PyTorch has them, so that neighbours in
// memory, which neighbouring work-items read together, are neighbours in a map. Every sum is made in one
// order: by one work-item, or by a group as a tree, or part by part; nothing is added atomically. Products
// are added by `fma` alone, so that every compiler rounds alike.

#pragma OPENCL FP_CONTRACT OFF

// GROUP and SUM_GROUP are the work-items of a group that makes a tile of a product of matrices, and of one
// that adds up. A tile has TILE rows and columns, of which each work-item makes 4×4 numbers. The host defines
// them (`KernelSizes`), and what follows of a step's number formats (`NumberFormats`).

// A tile walks through so much of what is summed over at a time.
#define DEPTH 16
// From one row of a tile in local memory to the next; the rest spreads the rows over the memory's banks.
#define PITCH (TILE + 4)

// A number of 16 bits is the upper half of a float (bfloat16): the nearest one, of two as near the even one.
ushort half_of(float value) {
    const uint bits = as_uint(value);
    // What is not a number stays it.
    return value != value ? bits >> 16 | 0x40 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}
float whole_of(ushort bits) { return as_float((uint)bits << 16); }

// In mixed precision (MIXED is 1, else 0) what products read is in 16 bits, or rounded to them on the way.
float rounded(float value) { return MIXED ? whole_of(half_of(value)) : value; }

// Numbers in memory as a type name_number, with a function that reads the number at a place, one that writes
// it, and one that reads [row][column] of a matrix, which has zeros around it.
#define NUMBERS(name, type, read, write)                                                                     \
    typedef type name##_number;                                                                              \
    float name##_at(global const type *numbers, size_t place) { return read(numbers[place]); }               \
    void set_##name(global type *numbers, size_t place, float value) { numbers[place] = write(value); }      \
    float name##_element(global const type *numbers, int row, int rows, int column, int columns) {           \
        return row < rows && column < columns ? name##_at(numbers, (size_t)row * columns + column) : 0;      \
    }

// Of a step's input x and output y, which have X_BITS and Y_BITS a number, and of their gradients; and of
// what is the step's own, the weights that products read and a batch norm's z.
#if X_BITS == 16
NUMBERS(x, ushort, whole_of, half_of)
#else
NUMBERS(x, float, rounded, )
#endif
#if Y_BITS == 16
NUMBERS(y, ushort, whole_of, half_of)
#else
NUMBERS(y, float, rounded, )
#endif
#if MIXED
NUMBERS(own, ushort, whole_of, half_of)
#else
NUMBERS(own, float, , )
#endif

// A work-item puts four numbers into a part of a matrix in local memory, [DEPTH][PITCH]: `value`, an
// expression of k, below DEPTH, and line, below TILE. Neighbouring work-items have neighbouring k or
// neighbouring lines, whichever are neighbours where the numbers come from. i counts the four.
#define FILL_ALONG_DEPTH(part, value)                                                                        \
    for (int i = 0; i < 4; i++) {                                                                            \
        const int k = get_local_id(0) % DEPTH, line = get_local_id(0) / DEPTH + i * (GROUP / DEPTH);         \
        part[k * PITCH + line] = value;                                                                      \
    }
#define FILL_ALONG_LINES(part, value)                                                                        \
    for (int i = 0; i < 4; i++) {                                                                            \
        const int k = get_local_id(0) / TILE + i * (GROUP / TILE), line = get_local_id(0) % TILE;            \
        part[k * PITCH + line] = value;                                                                      \
    }

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

// The work-item's numbers one by one, and where in the product number i of the sixteen is.
void numbers_of(const float4 *sums, float *numbers) {
    for (int i = 0; i < 4; i++)
        vstore4(sums[i], i, numbers);
}
int row_of(int i) { return get_group_id(1) * TILE + get_local_id(0) / (TILE / 4) * 4 + i / 4; }
int column_of(int i) { return get_group_id(0) * TILE + get_local_id(0) % (TILE / 4) * 4 + i % 4; }

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
