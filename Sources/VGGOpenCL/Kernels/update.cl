// What an optimiser does with parameters: torch's SGD, Adam and AdamW and the average beside them, as
// `update.inc` of the processor's kernels does it, with the same roundings.

typedef struct {
    float learning_rate, weight_decay, keep, share, nesterov, shrink, square_keep, square_share, correction,
        epsilon, average_share;
} update_numbers;

// Updates parameter i. momentum, squares, average: null where the optimiser has none.
void update_parameter(const update_numbers *u, size_t i, float gradient, global float *values,
                      global float *momentum, global float *squares, global float *average) {
    float value = values[i];
    if (squares) {
        value *= u->shrink;
        gradient = fma(u->weight_decay, value, gradient);
        const float before = momentum[i];
        const float mean = fma(u->share, gradient - before, before);
        const float part = u->square_share * gradient * gradient;
        const float square = fma(u->square_keep, squares[i], part);
        momentum[i] = mean;
        squares[i] = square;
        const float step = mean / fma(u->correction, sqrt(square), u->epsilon);
        value = fma(-u->learning_rate, step, value);
    } else {
        gradient = fma(u->weight_decay, value, gradient);
        if (momentum) {
            const float velocity = fma(u->keep, momentum[i], u->share * gradient);
            momentum[i] = velocity;
            gradient = u->nesterov != 0 ? fma(u->keep, velocity, gradient) : velocity;
        }
        value = fma(-u->learning_rate, gradient, value);
    }
    values[i] = value;
    if (!average)
        return;
    // torch's lerp: from the nearer end.
    const float difference = value - average[i];
    average[i] = u->average_share < 0.5f ? fma(u->average_share, difference, average[i])
                                         : fma(-(1 - u->average_share), difference, value);
}

// Parameters first ..< first + count, of which the first has gradient number `first_gradient`.
kernel void update(const update_numbers u, ulong first, ulong first_gradient, ulong count,
                   global const float *gradients, global float *values, global float *momentum,
                   global float *squares, global float *average) {
    const size_t i = get_global_id(0);
    if (i < count)
        update_parameter(&u, first + i, gradients[first_gradient + i], values, momentum, squares, average);
}

// Moves the average of numbers that are not trained.
kernel void move_average(float share, ulong first, ulong count, global const float *values,
                         global float *average) {
    if (get_global_id(0) >= count)
        return;
    const size_t i = first + get_global_id(0);
    const float difference = values[i] - average[i];
    average[i] = share < 0.5f ? fma(share, difference, average[i]) : fma(-(1 - share), difference, values[i]);
}

kernel void exchange(ulong count, global float *one, global float *other) {
    const size_t i = get_global_id(0);
    if (i >= count)
        return;
    const float value = one[i];
    one[i] = other[i];
    other[i] = value;
}

// The sum of the squares of numbers part · chunk ..< (part + 1) · chunk, part = get_group_id(0): parts[part].
kernel __attribute__((reqd_work_group_size(SUM_GROUP, 1, 1))) void
sum_of_squares(ulong count, int chunk, global const float *numbers, global float *parts) {
    local float shared[SUM_GROUP];
    const size_t begin = (size_t)get_group_id(0) * chunk, end = min(begin + chunk, (size_t)count);
    float sum = 0;
    for (size_t i = begin + get_local_id(0); i < end; i += SUM_GROUP)
        sum = fma(numbers[i], numbers[i], sum);
    sum = group_sum(shared, sum);
    if (get_local_id(0) == 0)
        parts[get_group_id(0)] = sum;
}

kernel void scale(ulong count, float factor, global float *numbers) {
    const size_t i = get_global_id(0);
    if (i < count)
        numbers[i] *= factor;
}
