// Convolutions and their gradients, as products of matrices of which at least one side is gathered from maps.
// taps: of each (channel, row, column of the kernel), where its channel is, and row << 16 | column: the place
// of the channel's map in an image, or for the gradient of x the number of the output channel.

// A convolution, and the ReLU and the 2×2 max pool after it, each 0 or 1.
typedef struct {
    int count, channels, height, width;
    // Before the pool.
    int out, out_height, out_width;
    int extent, stride, padding;
    int relu, pool;
} convolution_shape;

// The input at a tap of a window that begins at (top, left); zero around the image.
float under_tap(global const x_number *image, const convolution_shape *shape, int2 tap, int top, int left) {
    const int y = top + (tap.y >> 16), x = left + (tap.y & 0xFFFF);
    const bool is_there = y >= 0 && y < shape->height && x >= 0 && x < shape->width;
    return is_there ? x_at(image, tap.x + y * shape->width + x) : 0;
}

// The gradient of pixel (y, x) of a convolution's map `map` (of an image and a channel) before ReLU and pool:
// of the map itself, or where a pool follows of the pooled one and its winners.
float gradient_at(global const y_number *gradient, global const uchar *winners,
                  const convolution_shape *shape, size_t map, int y, int x) {
    if (!shape->pool)
        return y_at(gradient, (map * shape->out_height + y) * shape->out_width + x);
    const int height = shape->out_height / 2, width = shape->out_width / 2;
    if (y / 2 >= height || x / 2 >= width)
        return 0;
    const size_t place = (map * height + y / 2) * width + x / 2;
    return winners[place] == y % 2 * 2 + x % 2 ? y_at(gradient, place) : 0;
}

// The gradient of the output that reads an input through a tap, whose window ends at (bottom, right) for the
// kernel's first row and column; zero where there is no such window.
float gradient_of_tap(global const y_number *gradient, global const uchar *winners,
                      const convolution_shape *shape, int image, int2 tap, int bottom, int right) {
    const int down = bottom - (tap.y >> 16), across = right - (tap.y & 0xFFFF);
    const int y = down / shape->stride, x = across / shape->stride;
    const bool is_there = down >= 0 && across >= 0 && y < shape->out_height && x < shape->out_width &&
                          y * shape->stride == down && x * shape->stride == across;
    return is_there ? gradient_at(gradient, winners, shape, (size_t)image * shape->out + tap.x, y, x) : 0;
}

// Output channels × pixels of all images: y = w * x + bias, with ReLU and pool. Under a pool the four pixels
// of a window are neighbours among the columns, and therefore one work-item's. winners: may be null.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
convolution(const convolution_shape shape, global const int2 *taps, global const x_number *x,
            global const own_number *weights, global const float *bias, global y_number *y,
            global uchar *winners) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    const int depth = shape.channels * shape.extent * shape.extent;
    const int window = shape.pool ? 2 : 1;
    const int height = shape.out_height / window, width = shape.out_width / window;
    const int pixels = height * width, columns = shape.count * pixels * window * window;

    // The pixel whose inputs this work-item loads.
    const int column = first_column + get_local_id(0) % TILE;
    const int place = column / (window * window), corner = column % (window * window);
    const int image = place / pixels, pixel = place % pixels;
    const int top = (pixel / width * window + corner / 2) * shape.stride - shape.padding;
    const int left = (pixel % width * window + corner % 2) * shape.stride - shape.padding;
    x += (size_t)image * shape.channels * shape.height * shape.width;

    float4 sums[4];
    for (int i = 0; i < 4; i++) {
        const int row = row_of(4 * i);
        sums[i] = row < shape.out ? bias[row] : 0;
    }
    for (int from = 0; from < depth; from += DEPTH) {
        FILL_ALONG_DEPTH(a, own_element(weights, first_row + line, shape.out, from + k, depth));
        FILL_ALONG_LINES(
            b, column < columns && from + k < depth ? under_tap(x, &shape, taps[from + k], top, left) : 0);
        multiply_tiles(a, b, sums);
    }

    float numbers[16];
    numbers_of(sums, numbers);
    for (int i = 0; i < 16; i++) {
        const int row = row_of(i), index = column_of(i) / (window * window);
        if (row >= shape.out || index >= shape.count * pixels || (shape.pool && i % 4 > 0))
            continue;
        const size_t to = ((size_t)(index / pixels) * shape.out + row) * pixels + index % pixels;
        if (shape.pool) {
            uchar winner;
            set_y(y, to, rounded(pooled(numbers + i, &winner)));
            if (winners)
                winners[to] = winner;
        } else {
            set_y(y, to, rounded(shape.relu ? rectified(numbers[i]) : numbers[i]));
        }
    }
}

// Input channels × pixels of all images: the gradient of x from that of y before ReLU and pool (see
// `gradient_at`).
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
convolution_input_gradient(const convolution_shape shape, global const int2 *taps,
                           global const y_number *gradient, global const uchar *winners,
                           global const own_number *weights, global x_number *dx) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    const int area = shape.extent * shape.extent, depth = shape.out * area;
    const int pixels = shape.height * shape.width, columns = shape.count * pixels;

    // The pixel whose gradients this work-item loads.
    const int column = first_column + get_local_id(0) % TILE;
    const int image = column / pixels, pixel = column % pixels;
    const int bottom = pixel / shape.width + shape.padding, right = pixel % shape.width + shape.padding;

    float4 sums[4] = {0, 0, 0, 0};
    for (int from = 0; from < depth; from += DEPTH) {
        const int index = from + get_local_id(0) % DEPTH;
        const size_t channel = (size_t)(index / area) * shape.channels;
        FILL_ALONG_DEPTH(a, first_row + line < shape.channels && index < depth
                                ? own_at(weights, (channel + first_row + line) * area + index % area)
                                : 0);
        FILL_ALONG_LINES(
            b, column < columns && from + k < depth
                   ? gradient_of_tap(gradient, winners, &shape, image, taps[from + k], bottom, right)
                   : 0);
        multiply_tiles(a, b, sums);
    }

    float numbers[16];
    numbers_of(sums, numbers);
    for (int i = 0; i < 16; i++) {
        const int row = row_of(i), to = column_of(i);
        if (row < shape.channels && to < columns)
            set_x(dx, ((size_t)(to / pixels) * shape.channels + row) * pixels + to % pixels, numbers[i]);
    }
}
