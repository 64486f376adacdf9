// Kernels of which a work-item makes one number of one other.

kernel void relu(ulong count, global const x_number *x, global y_number *y) {
    const size_t i = get_global_id(0);
    if (i < count)
        set_y(y, i, rectified(x_at(x, i)));
}

// The gradient of a ReLU's input, which may take the place of that of its output y.
kernel void relu_gradient(ulong count, global const y_number *gradient, global const y_number *y,
                          global y_number *dx) {
    const size_t i = get_global_id(0);
    if (i < count)
        set_y(dx, i, y_at(y, i) > 0 ? y_at(gradient, i) : 0);
}

// What mixed precision reads of parameters and of images.
kernel void round_numbers(ulong count, global const float *x, global ushort *y) {
    const size_t i = get_global_id(0);
    if (i < count)
        y[i] = half_of(x[i]);
}

// Philox4x32-10 (Salmon et al. 2011); VGGModel's `Philox` explains it.
uint4 philox(uint4 counter, uint2 key) {
    for (int round = 0; round < 10; round++) {
        const uint left = counter.x, right = counter.z;
        counter = (uint4)(mul_hi(right, 0xCD9E8D57u) ^ counter.y ^ key.x, right * 0xCD9E8D57u,
                          mul_hi(left, 0xD2511F53u) ^ counter.w ^ key.y, left * 0xD2511F53u);
        key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

typedef struct {
    // The first image's place in its batch.
    int first, count, channels, height, width;
    uint seed_low, seed_high, stream, sequence, layer, threshold;
    float scale;
} dropout_shape;

// Numbers x[count][channels][height][width] are kept and scaled, or dropped; its own inverse for gradients.
// The draws are counted as the processor's maps lie: along rows of pixels and their channels, where each row
// begins at a multiple of four.
kernel void dropout(const dropout_shape shape, global const x_number *x, global y_number *y) {
    const size_t i = get_global_id(0);
    const int pixels = shape.height * shape.width;
    if (i >= (size_t)shape.count * shape.channels * pixels)
        return;
    const size_t map = i / pixels;
    const int row = i % pixels / shape.width, column = i % pixels % shape.width;
    const size_t image = shape.first + map / shape.channels;
    const size_t place = (image * shape.height + row) * ((shape.width * shape.channels + 3) / 4) +
                         (column * shape.channels + (int)(map % shape.channels)) / 4;
    const int lane = (column * shape.channels + (int)(map % shape.channels)) % 4;
    uint words[4];
    vstore4(philox((uint4)((uint)place, shape.layer, shape.sequence, shape.stream),
                   (uint2)(shape.seed_low, shape.seed_high)),
            0, words);
    set_y(y, i, words[lane] >= shape.threshold ? x_at(x, i) * shape.scale : 0);
}
