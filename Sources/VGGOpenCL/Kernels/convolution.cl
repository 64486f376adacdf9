// Convolutions and the gradients of their inputs, as products of matrices whose right side is gathered from
// maps.

// Output channels × pixels of all images: y = w * x + bias, with ReLU and pool. Under a pool the four pixels
// of a window are neighbours among the columns, and therefore one work-item's. taps: of each k of (channel,
// row, column of the kernel), the place of its map in an image, and row << 16 | column. winners: may be null.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
convolution(const convolution_shape shape, global const int2 *taps, global const float *x,
            global const float *weights, global const float *bias, global float *y, global uchar *winners) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int id = get_local_id(0);
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    const int depth = shape.channels * shape.extent * shape.extent;
    const int window = shape.pool ? 2 : 1;
    const int height = shape.out_height / window, width = shape.out_width / window;
    const int pixels = height * width, columns = shape.count * pixels * window * window;

    // The pixel whose inputs this work-item loads.
    const int column = first_column + id % TILE;
    const int place = column / (window * window), corner = column % (window * window);
    const int image = place / pixels, pixel = place % pixels;
    const int top = (pixel / width * window + corner / 2) * shape.stride - shape.padding;
    const int left = (pixel % width * window + corner % 2) * shape.stride - shape.padding;
    x += (size_t)image * shape.channels * shape.height * shape.width;

    float4 sums[4];
    for (int i = 0; i < 4; i++) {
        const int row = first_row + id / (TILE / 4) * 4 + i;
        sums[i] = row < shape.out ? bias[row] : 0;
    }
    for (int from = 0; from < depth; from += DEPTH) {
        for (int i = 0; i < 4; i++) {
            const int row = id / DEPTH + i * (GROUP / DEPTH), in_row = id % DEPTH;
            const bool is_there = first_row + row < shape.out && from + in_row < depth;
            a[in_row * PITCH + row] =
                is_there ? weights[(size_t)(first_row + row) * depth + from + in_row] : 0;

            const int k = id / TILE + i * (GROUP / TILE);
            float value = 0;
            if (column < columns && from + k < depth) {
                const int2 tap = taps[from + k];
                const int in_y = top + (tap.y >> 16), in_x = left + (tap.y & 0xFFFF);
                if (in_y >= 0 && in_y < shape.height && in_x >= 0 && in_x < shape.width)
                    value = x[tap.x + in_y * shape.width + in_x];
            }
            b[k * PITCH + id % TILE] = value;
        }
        multiply_tiles(a, b, sums);
    }

    const int own_column = first_column + id % (TILE / 4) * 4;
    for (int i = 0; i < 4; i++) {
        const int row = first_row + id / (TILE / 4) * 4 + i;
        float numbers[4];
        numbers_of(sums[i], numbers);
        if (row >= shape.out)
            continue;
        for (int lane = 0; lane < 4; lane++) {
            const int index = (own_column + lane) / (window * window);
            if (own_column + lane >= columns)
                break;
            const size_t to = ((size_t)(index / pixels) * shape.out + row) * pixels + index % pixels;
            if (shape.pool) {
                uchar winner;
                y[to] = pooled(numbers, &winner);
                if (winners)
                    winners[to] = winner;
                break;
            }
            y[to] = shape.relu ? rectified(numbers[lane]) : numbers[lane];
        }
    }
}

// Input channels × pixels of all images: the gradient of x from that of y before ReLU and pool (see
// `gradient_at`). taps: of each k of (output channel, row, column of the kernel), the channel, and row << 16
// | column.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
convolution_input_gradient(const convolution_shape shape, global const int2 *taps,
                           global const float *gradient, global const uchar *winners,
                           global const float *weights, global float *dx) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int id = get_local_id(0);
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    const int area = shape.extent * shape.extent, depth = shape.out * area;
    const int pixels = shape.height * shape.width, columns = shape.count * pixels;

    // The pixel whose gradients this work-item loads.
    const int column = first_column + id % TILE;
    const int image = column / pixels, pixel = column % pixels;
    const int bottom = pixel / shape.width + shape.padding, right = pixel % shape.width + shape.padding;

    float4 sums[4] = {0, 0, 0, 0};
    for (int from = 0; from < depth; from += DEPTH) {
        const int in_row = id % DEPTH, channel = (from + in_row) / area, tap_index = (from + in_row) % area;
        for (int i = 0; i < 4; i++) {
            const int row = id / DEPTH + i * (GROUP / DEPTH);
            const bool is_there = first_row + row < shape.channels && from + in_row < depth;
            const size_t place = ((size_t)channel * shape.channels + first_row + row) * area + tap_index;
            a[in_row * PITCH + row] = is_there ? weights[place] : 0;

            const int k = id / TILE + i * (GROUP / TILE);
            float value = 0;
            if (column < columns && from + k < depth) {
                const int2 tap = taps[from + k];
                const int y = bottom - (tap.y >> 16), left = right - (tap.y & 0xFFFF);
                const int out_y = y / shape.stride, out_x = left / shape.stride;
                if (y >= 0 && left >= 0 && out_y < shape.out_height && out_x < shape.out_width &&
                    out_y * shape.stride == y && out_x * shape.stride == left)
                    value = gradient_at(gradient, winners, &shape, (size_t)image * shape.out + tap.x, out_y,
                                        out_x);
            }
            b[k * PITCH + id % TILE] = value;
        }
        multiply_tiles(a, b, sums);
    }

    const int own_column = first_column + id % (TILE / 4) * 4;
    for (int i = 0; i < 4; i++) {
        const int row = first_row + id / (TILE / 4) * 4 + i;
        float numbers[4];
        numbers_of(sums[i], numbers);
        for (int lane = 0; lane < 4; lane++) {
            const int to = own_column + lane;
            if (row < shape.channels && to < columns)
                dx[((size_t)(to / pixels) * shape.channels + row) * pixels + to % pixels] = numbers[lane];
        }
    }
}
