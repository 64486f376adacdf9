// Linear layers, as products of matrices: x is [count][in], weights [out][in], y [count][out].

// Images × outputs.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
linear(int count, int in, int out, int relu, global const x_number *x, global const own_number *weights,
       global const float *bias, global y_number *y) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    float start[4];
    for (int i = 0; i < 4; i++)
        start[i] = column_of(i) < out ? bias[column_of(i)] : 0;
    float4 sums[4];
    for (int i = 0; i < 4; i++)
        sums[i] = vload4(0, start);
    for (int from = 0; from < in; from += DEPTH) {
        FILL_ALONG_DEPTH(a, x_element(x, first_row + line, count, from + k, in));
        FILL_ALONG_DEPTH(b, own_element(weights, first_column + line, out, from + k, in));
        multiply_tiles(a, b, sums);
    }
    float numbers[16];
    numbers_of(sums, numbers);
    for (int i = 0; i < 16; i++)
        if (row_of(i) < count && column_of(i) < out)
            set_y(y, (size_t)row_of(i) * out + column_of(i), relu ? rectified(numbers[i]) : numbers[i]);
}

// Images × inputs: the gradient of x from that of y before the ReLU.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
linear_input_gradient(int count, int in, int out, global const y_number *gradient,
                      global const own_number *weights, global x_number *dx) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    float4 sums[4] = {0, 0, 0, 0};
    for (int from = 0; from < out; from += DEPTH) {
        FILL_ALONG_DEPTH(a, y_element(gradient, first_row + line, count, from + k, out));
        FILL_ALONG_LINES(b, own_element(weights, from + k, out, first_column + line, in));
        multiply_tiles(a, b, sums);
    }
    float numbers[16];
    numbers_of(sums, numbers);
    for (int i = 0; i < 16; i++)
        if (row_of(i) < count && column_of(i) < in)
            set_x(dx, (size_t)row_of(i) * in + column_of(i), numbers[i]);
}

// Outputs × inputs: the gradient of the weights, which is stored, or by which they are updated at once.
// gradients: null to update.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
linear_weight_gradient(int count, int in, int out, global const x_number *x, global const y_number *gradient,
                       global float *gradients, const update_numbers u, global float *weights,
                       global float *momentum, global float *squares, global float *average) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    float4 sums[4] = {0, 0, 0, 0};
    for (int from = 0; from < count; from += DEPTH) {
        FILL_ALONG_LINES(a, y_element(gradient, from + k, count, first_row + line, out));
        FILL_ALONG_LINES(b, x_element(x, from + k, count, first_column + line, in));
        multiply_tiles(a, b, sums);
    }
    float numbers[16];
    numbers_of(sums, numbers);
    for (int i = 0; i < 16; i++) {
        if (row_of(i) >= out || column_of(i) >= in)
            continue;
        const size_t place = (size_t)row_of(i) * in + column_of(i);
        if (gradients)
            gradients[place] = numbers[i];
        else
            update_parameter(&u, place, numbers[i], weights, momentum, squares, average);
    }
}
