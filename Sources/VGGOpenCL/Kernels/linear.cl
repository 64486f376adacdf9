// Linear layers, as products of matrices: x is [count][in], weights [out][in], y [count][out].

// Images × outputs.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
linear(int count, int in, int out, int relu, global const float *x, global const float *weights,
       global const float *bias, global float *y) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int id = get_local_id(0), k = id % DEPTH;
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    const int own_column = first_column + id % (TILE / 4) * 4;
    float start[4];
    for (int lane = 0; lane < 4; lane++)
        start[lane] = own_column + lane < out ? bias[own_column + lane] : 0;
    float4 sums[4];
    for (int i = 0; i < 4; i++)
        sums[i] = vload4(0, start);
    for (int from = 0; from < in; from += DEPTH) {
        for (int i = 0; i < 4; i++) {
            const int line = id / DEPTH + i * (GROUP / DEPTH);
            const bool is_there = from + k < in;
            a[k * PITCH + line] =
                is_there && first_row + line < count ? x[(size_t)(first_row + line) * in + from + k] : 0;
            b[k * PITCH + line] = is_there && first_column + line < out
                                      ? weights[(size_t)(first_column + line) * in + from + k]
                                      : 0;
        }
        multiply_tiles(a, b, sums);
    }
    for (int i = 0; i < 4; i++) {
        const int row = first_row + id / (TILE / 4) * 4 + i;
        float numbers[4];
        numbers_of(sums[i], numbers);
        for (int lane = 0; lane < 4; lane++)
            if (row < count && own_column + lane < out)
                y[(size_t)row * out + own_column + lane] = relu ? rectified(numbers[lane]) : numbers[lane];
    }
}

// Images × inputs: the gradient of x from that of y before the ReLU.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
linear_input_gradient(int count, int in, int out, global const float *gradient, global const float *weights,
                      global float *dx) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int id = get_local_id(0);
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    float4 sums[4] = {0, 0, 0, 0};
    for (int from = 0; from < out; from += DEPTH) {
        for (int i = 0; i < 4; i++) {
            const int row = id / DEPTH + i * (GROUP / DEPTH), in_row = id % DEPTH;
            a[in_row * PITCH + row] = first_row + row < count && from + in_row < out
                                          ? gradient[(size_t)(first_row + row) * out + from + in_row]
                                          : 0;
            const int k = id / TILE + i * (GROUP / TILE), column = first_column + id % TILE;
            b[k * PITCH + id % TILE] =
                column < in && from + k < out ? weights[(size_t)(from + k) * in + column] : 0;
        }
        multiply_tiles(a, b, sums);
    }
    for (int i = 0; i < 4; i++) {
        const int row = first_row + id / (TILE / 4) * 4 + i;
        float numbers[4];
        numbers_of(sums[i], numbers);
        for (int lane = 0; lane < 4; lane++) {
            const int column = first_column + id % (TILE / 4) * 4 + lane;
            if (row < count && column < in)
                dx[(size_t)row * in + column] = numbers[lane];
        }
    }
}

// Outputs × inputs: the gradient of the weights, which is stored, or by which they are updated at once.
// gradients: null to update.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void
linear_weight_gradient(int count, int in, int out, global const float *x, global const float *gradient,
                       global float *gradients, const update_numbers u, global float *weights,
                       global float *momentum, global float *squares, global float *average) {
    local float a[DEPTH * PITCH], b[DEPTH * PITCH];
    const int id = get_local_id(0), line = id % TILE;
    const int first_row = get_group_id(1) * TILE, first_column = get_group_id(0) * TILE;
    float4 sums[4] = {0, 0, 0, 0};
    for (int from = 0; from < count; from += DEPTH) {
        for (int i = 0; i < 4; i++) {
            const int k = id / TILE + i * (GROUP / TILE);
            const bool is_there = from + k < count;
            a[k * PITCH + line] = is_there && first_row + line < out
                                      ? gradient[(size_t)(from + k) * out + first_row + line]
                                      : 0;
            b[k * PITCH + line] =
                is_there && first_column + line < in ? x[(size_t)(from + k) * in + first_column + line] : 0;
        }
        multiply_tiles(a, b, sums);
    }
    for (int i = 0; i < 4; i++) {
        const int row = first_row + id / (TILE / 4) * 4 + i;
        float numbers[4];
        numbers_of(sums[i], numbers);
        for (int lane = 0; lane < 4; lane++) {
            const int column = first_column + id % (TILE / 4) * 4 + lane;
            if (row >= out || column >= in)
                continue;
            const size_t place = (size_t)row * in + column;
            if (gradients)
                gradients[place] = numbers[lane];
            else
                update_parameter(&u, place, numbers[lane], weights, momentum, squares, average);
        }
    }
}
