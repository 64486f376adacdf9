// The gradients of a convolution's weights and bias. They are sums over all pixels of all images, which are
// cut into parts of `chunk` pixels, each a group's: a first layer has few weights, and its sums would else be
// few groups' work. `sum_parts` adds the parts up.

// Output channels × (channel, row, column of the kernel), of the pixels of part get_group_id(2):
// parts[part][out][channel][row][column].
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
convolution_weight_gradient(const convolution_shape shape, int chunk, global const float *x,
                            global const float *gradient, global const uchar *winners, global float *parts) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int id = get_local_id(0);
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    const int area = shape.extent * shape.extent, columns = shape.channels * area;
    const int pixels = shape.out_height * shape.out_width;
    const int begin = get_group_id(2) * chunk, end = min(begin + chunk, shape.count * pixels);

    // The four columns whose inputs this work-item loads.
    int map[4], top[4], left[4];
    for (int i = 0; i < 4; i++) {
        const int column = min(first_column + id / DEPTH + i * (GROUP / DEPTH), columns - 1);
        map[i] = column / area;
        top[i] = column % area / shape.extent - shape.padding;
        left[i] = column % shape.extent - shape.padding;
    }
    float4 sums[4] = {0, 0, 0, 0};
    for (int from = begin; from < end; from += DEPTH) {
        const int place = from + id % DEPTH;
        const int image = place / pixels, pixel = place % pixels;
        const int y = pixel / shape.out_width, out_x = pixel % shape.out_width;
        for (int i = 0; i < 4; i++) {
            const int row = id / DEPTH + i * (GROUP / DEPTH);
            float value = 0, input = 0;
            if (place < end && first_row + row < shape.out)
                value = gradient_at(gradient, winners, &shape, (size_t)image * shape.out + first_row + row, y,
                                    out_x);
            const int in_y = y * shape.stride + top[i], in_x = out_x * shape.stride + left[i];
            if (place < end && in_y >= 0 && in_y < shape.height && in_x >= 0 && in_x < shape.width)
                input =
                    x[(((size_t)image * shape.channels + map[i]) * shape.height + in_y) * shape.width + in_x];
            a[id % DEPTH * PITCH + row] = value;
            b[id % DEPTH * PITCH + row] = input;
        }
        multiply_tiles(a, b, sums);
    }
    for (int i = 0; i < 4; i++) {
        const int row = first_row + id / (TILE / 4) * 4 + i;
        float numbers[4];
        numbers_of(sums[i], numbers);
        for (int lane = 0; lane < 4; lane++) {
            const int column = first_column + id % (TILE / 4) * 4 + lane;
            if (row < shape.out && column < columns)
                parts[((size_t)get_group_id(2) * shape.out + row) * columns + column] = numbers[lane];
        }
    }
}

// Of channel get_group_id(0), of part get_group_id(1) of the gradient's maps [count][channels][pixels]:
// parts[part][channel]. winners: null where there is no pool.
kernel __attribute__((reqd_work_group_size(SUM_GROUP, 1, 1))) void
bias_gradient(int count, int channels, int pixels, int chunk, global const float *gradient,
              global const uchar *winners, global float *parts) {
    local float shared[SUM_GROUP];
    const int channel = get_group_id(0);
    const int begin = get_group_id(1) * chunk, end = min(begin + chunk, count * pixels);
    float sum = 0;
    for (int i = begin + get_local_id(0); i < end; i += SUM_GROUP) {
        const size_t place = ((size_t)(i / pixels) * channels + channel) * pixels + i % pixels;
        sum += !winners || winners[place] < 4 ? gradient[place] : 0;
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
