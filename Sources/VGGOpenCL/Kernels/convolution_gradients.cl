// The gradients of a convolution's weights and bias. They are sums over all pixels of all images, which are
// cut into parts of `chunk` pixels, each a group's: a first layer has few weights, and its sums would else be
// few groups' work. `sum_parts` adds the parts up.

// Output channels × (channel, row, column of the kernel), of the pixels of part get_group_id(2):
// parts[part][out][channel][row][column].
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
convolution_weight_gradient(const convolution_shape shape, int chunk, global const int2 *taps,
                            global const x_number *x, global const y_number *gradient,
                            global const uchar *winners, global float *parts) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int id = get_local_id(0);
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    const int columns = shape.channels * shape.extent * shape.extent;
    const int pixels = shape.out_height * shape.out_width;
    const int begin = get_group_id(2) * chunk, end = min(begin + chunk, shape.count * pixels);
    const size_t image_size = (size_t)shape.channels * shape.height * shape.width;

    // Of the four columns whose inputs this work-item loads.
    int2 own_taps[4];
    for (int i = 0; i < 4; i++)
        own_taps[i] = taps[min(first_column + id / DEPTH + i * (GROUP / DEPTH), columns - 1)];
    float4 sums[4] = {0, 0, 0, 0};
    for (int from = begin; from < end; from += DEPTH) {
        const int place = from + id % DEPTH;
        const size_t image = place / pixels;
        const int out_y = place % pixels / shape.out_width, out_x = place % pixels % shape.out_width;
        const int top = out_y * shape.stride - shape.padding, left = out_x * shape.stride - shape.padding;
        FILL_ALONG_DEPTH(a, place < end && first_row + line < shape.out
                                ? gradient_at(gradient, winners, &shape, image * shape.out + first_row + line,
                                              out_y, out_x)
                                : 0);
        FILL_ALONG_DEPTH(b,
                         place < end ? under_tap(x + image * image_size, &shape, own_taps[i], top, left) : 0);
        multiply_tiles(a, b, sums);
    }

    float numbers[16];
    numbers_of(sums, numbers);
    for (int i = 0; i < 16; i++)
        if (row_of(i) < shape.out && column_of(i) < columns)
            parts[((size_t)get_group_id(2) * shape.out + row_of(i)) * columns + column_of(i)] = numbers[i];
}

// Of channel get_group_id(0), of part get_group_id(1) of the gradient's maps [count][channels][pixels]:
// parts[part][channel]. winners: null where there is no pool.
kernel __attribute__((reqd_work_group_size(SUM_GROUP, 1, 1))) void
bias_gradient(int count, int channels, int pixels, int chunk, global const y_number *gradient,
              global const uchar *winners, global float *parts) {
    local float shared[SUM_GROUP];
    const int channel = get_group_id(0);
    const int begin = get_group_id(1) * chunk, end = min(begin + chunk, count * pixels);
    float sum = 0;
    for (int i = begin + get_local_id(0); i < end; i += SUM_GROUP) {
        const size_t place = ((size_t)(i / pixels) * channels + channel) * pixels + i % pixels;
        sum += !winners || winners[place] < 4 ? y_at(gradient, place) : 0;
    }
    sum = group_sum(shared, sum);
    if (get_local_id(0) == 0)
        parts[get_group_id(1) * channels + channel] = sum;
}

// sums[i] of the rows of `parts`, one after the other.
kernel void sum_parts(int count, int rows, global const float *parts, global float *sums) {
    const int i = get_global_id(0);
    if (i >= count)
        return;
    float sum = parts[i];
    for (int row = 1; row < rows; row++)
        sum += parts[(size_t)row * count + i];
    sums[i] = sum;
}
