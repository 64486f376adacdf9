// Pools of maps [maps][height][width], a map a channel of an image. Gradients are gathered: a work-item makes
// one of the input's, of all windows that the pixel lies in.

typedef struct {
    int maps, height, width, out_height, out_width;
    // Of max pools.
    int window, stride;
} pool_shape;

// winners: where in each window its largest number is, row by row; may be null. The first of equals, as in
// PyTorch.
kernel void max_pool(const pool_shape shape, global const x_number *x, global y_number *y,
                     global ushort *winners) {
    const size_t i = get_global_id(0);
    const int pixels = shape.out_height * shape.out_width;
    if (i >= (size_t)shape.maps * pixels)
        return;
    const int pixel = i % pixels;
    x += (i / pixels * shape.height + pixel / shape.out_width * shape.stride) * shape.width +
         pixel % shape.out_width * shape.stride;
    float best = x_at(x, 0);
    int winner = 0;
    for (int place = 1; place < shape.window * shape.window; place++) {
        const float value = x_at(x, place / shape.window * shape.width + place % shape.window);
        if (value > best || value != value) {
            best = value;
            winner = place;
        }
    }
    set_y(y, i, best);
    if (winners)
        winners[i] = winner;
}

kernel void max_pool_gradient(const pool_shape shape, global const y_number *gradient,
                              global const ushort *winners, global x_number *dx) {
    const size_t i = get_global_id(0);
    const int pixels = shape.height * shape.width;
    if (i >= (size_t)shape.maps * pixels)
        return;
    const size_t map = i / pixels;
    const int y = i % pixels / shape.width, x = i % pixels % shape.width;
    const int first_row = max(0, (y - shape.window + shape.stride) / shape.stride);
    const int first_column = max(0, (x - shape.window + shape.stride) / shape.stride);
    const int last_row = min(shape.out_height - 1, y / shape.stride);
    const int last_column = min(shape.out_width - 1, x / shape.stride);
    float sum = 0;
    for (int row = first_row; row <= last_row; row++)
        for (int column = first_column; column <= last_column; column++) {
            const size_t place = (map * shape.out_height + row) * shape.out_width + column;
            if (winners[place] == (y - row * shape.stride) * shape.window + x - column * shape.stride)
                sum += y_at(gradient, place);
        }
    set_x(dx, i, sum);
}

// windows: [begin, end) of the input of each output row, then of each output column.
kernel void average_pool(const pool_shape shape, global const int2 *windows, global const float *x,
                         global float *y) {
    const size_t i = get_global_id(0);
    const int pixels = shape.out_height * shape.out_width;
    if (i >= (size_t)shape.maps * pixels)
        return;
    const int pixel = i % pixels;
    const int2 rows = windows[pixel / shape.out_width];
    const int2 columns = windows[shape.out_height + pixel % shape.out_width];
    x += i / pixels * shape.height * shape.width;
    float sum = 0;
    for (int row = rows.x; row < rows.y; row++)
        for (int column = columns.x; column < columns.y; column++)
            sum += x[row * shape.width + column];
    y[i] = sum / ((rows.y - rows.x) * (columns.y - columns.x));
}

// windows: as above, and then [first, end) of the output rows whose windows have each input row, and of the
// columns.
kernel void average_pool_gradient(const pool_shape shape, global const int2 *windows,
                                  global const float *gradient, global float *dx) {
    const size_t i = get_global_id(0);
    const int pixels = shape.height * shape.width;
    if (i >= (size_t)shape.maps * pixels)
        return;
    const size_t map = i / pixels;
    const int outputs = shape.out_height + shape.out_width;
    const int2 rows = windows[outputs + i % pixels / shape.width];
    const int2 columns = windows[outputs + shape.height + i % pixels % shape.width];
    float sum = 0;
    for (int row = rows.x; row < rows.y; row++)
        for (int column = columns.x; column < columns.y; column++) {
            const int2 height = windows[row], width = windows[shape.out_height + column];
            sum += gradient[(map * shape.out_height + row) * shape.out_width + column] /
                   ((height.y - height.x) * (width.y - width.x));
        }
    dx[i] = sum;
}
