// Batch norm of maps z [count][channels][height][width], with the ReLU and the 2×2 max pool that may follow
// (Ioffe & Szegedy 2015). Its sums over the batch are cut into parts of whole images, as many as the host
// decides from the shape.

typedef struct {
    int count, channels, height, width;
    int relu, pool;
} norm_shape;

// Rows of `coefficients`, each a number a channel.
enum { MEAN = 0, INVERSE, GRADIENT_FACTOR, Z_FACTOR, CONSTANT };

// z of a channel with its mean taken away, before and after scale and shift.
float centred(global const float *coefficients, int channel, float z) { return z - coefficients[channel]; }
float normalized(const norm_shape *shape, global const float *coefficients, global const float *weight,
                 global const float *bias, int channel, float z) {
    const float scale = weight[channel] * coefficients[INVERSE * shape->channels + channel];
    return fma(centred(coefficients, channel, z), scale, bias[channel]);
}

// Of channel get_group_id(0) in images part · images ..< (part + 1) · images, part = get_group_id(1): the
// mean, and the sum of the squares about it. moments[part][2][channels].
kernel __attribute__((reqd_work_group_size(SUM_GROUP, 1, 1))) void
channel_moments(const norm_shape shape, int images, global const own_number *z, global float *moments) {
    local float shared[SUM_GROUP];
    const int channel = get_group_id(0), part = get_group_id(1);
    const int pixels = shape.height * shape.width;
    const int first = part * images, count = min(images, shape.count - first) * pixels;
    z += ((size_t)first * shape.channels + channel) * pixels;
    const size_t stride = (size_t)shape.channels * pixels;
    // About the first number, so that a mean far from zero costs no digits.
    const float pivot = own_at(z, 0);
    float sum = 0, squares = 0;
    for (int i = get_local_id(0); i < count; i += SUM_GROUP)
        sum += own_at(z, i / pixels * stride + i % pixels) - pivot;
    const float mean = pivot + group_sum(shared, sum) / count;
    for (int i = get_local_id(0); i < count; i += SUM_GROUP) {
        const float difference = own_at(z, i / pixels * stride + i % pixels) - mean;
        squares = fma(difference, difference, squares);
    }
    squares = group_sum(shared, squares);
    if (get_local_id(0) > 0)
        return;
    moments[2 * part * shape.channels + channel] = mean;
    moments[(2 * part + 1) * shape.channels + channel] = squares;
}

// Mean and 1 / deviation of each channel, by the batch's moments, whose running averages follow them, or
// where there are no parts by these.
kernel void norm_statistics(const norm_shape shape, int parts, int images, float epsilon, float momentum,
                            global const float *moments, global float *running_mean,
                            global float *running_variance, global float *coefficients) {
    const int channel = get_global_id(0);
    if (channel >= shape.channels)
        return;
    float mean = running_mean[channel], variance = running_variance[channel];
    if (parts > 0) {
        const int pixels = shape.height * shape.width;
        float squares = 0;
        int count = 0;
        for (int part = 0; part < parts; part++) {
            // Two parts' moments make the whole's (Chan, Golub & LeVeque 1979).
            const int more = min(images, shape.count - part * images) * pixels;
            const float other = moments[2 * part * shape.channels + channel];
            const float difference = part == 0 ? 0 : other - mean;
            const float share = (float)more / (float)(count + more);
            mean = part == 0 ? other : fma(difference, share, mean);
            squares += moments[(2 * part + 1) * shape.channels + channel] +
                       difference * difference * share * (float)count;
            count += more;
        }
        variance = squares / count;
        // The running variance is the unbiased one, as in PyTorch.
        const float unbiased = squares / max(count - 1, 1);
        running_mean[channel] = fma(momentum, mean - running_mean[channel], running_mean[channel]);
        running_variance[channel] =
            fma(momentum, unbiased - running_variance[channel], running_variance[channel]);
    }
    coefficients[MEAN * shape.channels + channel] = mean;
    coefficients[INVERSE * shape.channels + channel] = 1 / sqrt(variance + epsilon);
}

// y of z, and the pool's winners, which may be null. A work-item makes a number of y.
kernel void norm_forward(const norm_shape shape, global const float *coefficients, global const float *weight,
                         global const float *bias, global const own_number *z, global y_number *y,
                         global uchar *winners) {
    const int window = shape.pool ? 2 : 1;
    const int width = shape.width / window, pixels = shape.height / window * width;
    const size_t i = get_global_id(0);
    if (i >= (size_t)shape.count * shape.channels * pixels)
        return;
    const size_t map = i / pixels;
    const int channel = map % shape.channels, pixel = i % pixels;
    const int top = pixel / width * window, left = pixel % width * window;
    z += (map * shape.height + top) * shape.width + left;
    float numbers[4];
    for (int corner = 0; corner < window * window; corner++)
        numbers[corner] = normalized(&shape, coefficients, weight, bias, channel,
                                     own_at(z, corner / 2 * shape.width + corner % 2));
    if (shape.pool) {
        uchar winner;
        set_y(y, i, rounded(pooled(numbers, &winner)));
        if (winners)
            winners[i] = winner;
    } else {
        set_y(y, i, rounded(shape.relu ? rectified(numbers[0]) : numbers[0]));
    }
}

// Of channel get_group_id(0) in the images of part get_group_id(1): the sum of the gradient of the norm's
// output, and of its products with z about its mean. sums[part][2][channels].
kernel __attribute__((reqd_work_group_size(SUM_GROUP, 1, 1))) void
norm_sums(const norm_shape shape, int images, global const float *coefficients, global const float *weight,
          global const float *bias, global const own_number *z, global const y_number *gradient,
          global const uchar *winners, global float *sums) {
    local float shared[SUM_GROUP];
    const int channel = get_group_id(0), part = get_group_id(1);
    const int window = shape.pool ? 2 : 1;
    const int width = shape.width / window, pixels = shape.height / window * width;
    const int first = part * images, count = min(images, shape.count - first) * pixels;
    float sum = 0, dot_product = 0;
    for (int i = get_local_id(0); i < count; i += SUM_GROUP) {
        const size_t map = (size_t)(first + i / pixels) * shape.channels + channel;
        const int pixel = i % pixels;
        const int corner = shape.pool ? winners[map * pixels + pixel] : 0;
        if (corner == 4)
            continue;
        const int y = pixel / width * window + corner / 2, x = pixel % width * window + corner % 2;
        const float number = own_at(z, (map * shape.height + y) * shape.width + x);
        if (shape.relu && !shape.pool &&
            !(normalized(&shape, coefficients, weight, bias, channel, number) > 0))
            continue;
        const float dy = y_at(gradient, map * pixels + pixel);
        sum += dy;
        dot_product = fma(dy, centred(coefficients, channel, number), dot_product);
    }
    sum = group_sum(shared, sum);
    dot_product = group_sum(shared, dot_product);
    if (get_local_id(0) > 0)
        return;
    sums[2 * part * shape.channels + channel] = sum;
    sums[(2 * part + 1) * shape.channels + channel] = dot_product;
}

// The gradients of weight and bias, and what makes that of z, of each channel.
kernel void norm_parameter_gradients(const norm_shape shape, int parts, global const float *sums,
                                     global const float *weight, global float *coefficients,
                                     global float *weight_gradient, global float *bias_gradient) {
    const int channel = get_global_id(0);
    if (channel >= shape.channels)
        return;
    float sum = 0, dot_product = 0;
    for (int part = 0; part < parts; part++) {
        sum += sums[2 * part * shape.channels + channel];
        dot_product += sums[(2 * part + 1) * shape.channels + channel];
    }
    const float inverse = coefficients[INVERSE * shape.channels + channel];
    const float elements = (float)shape.count * (float)(shape.height * shape.width);
    weight_gradient[channel] = dot_product * inverse;
    bias_gradient[channel] = sum;
    // scale · (g - mean of g - (z - mean) / deviation² · mean of g · (z - mean))
    const float scale = weight[channel] * inverse;
    coefficients[GRADIENT_FACTOR * shape.channels + channel] = scale;
    coefficients[Z_FACTOR * shape.channels + channel] = -scale * inverse * inverse * (dot_product / elements);
    coefficients[CONSTANT * shape.channels + channel] = -scale * (sum / elements);
}

// The gradient of z, which may take its place.
kernel void norm_gradient(const norm_shape shape, global const float *coefficients,
                          global const float *weight, global const float *bias, global const own_number *z,
                          global const y_number *gradient, global const uchar *winners,
                          global own_number *dz) {
    const int pixels = shape.height * shape.width;
    const size_t i = get_global_id(0);
    if (i >= (size_t)shape.count * shape.channels * pixels)
        return;
    const size_t map = i / pixels;
    const int channel = map % shape.channels, pixel = i % pixels;
    const float number = own_at(z, i);
    float dy = 0;
    if (shape.pool) {
        const int height = shape.height / 2, width = shape.width / 2;
        const int y = pixel / shape.width, x = pixel % shape.width;
        const size_t place = (map * height + y / 2) * width + x / 2;
        if (y / 2 < height && x / 2 < width && winners[place] == y % 2 * 2 + x % 2)
            dy = y_at(gradient, place);
    } else if (!shape.relu || normalized(&shape, coefficients, weight, bias, channel, number) > 0) {
        dy = y_at(gradient, i);
    }
    const float rest =
        fma(coefficients[Z_FACTOR * shape.channels + channel], centred(coefficients, channel, number),
            coefficients[CONSTANT * shape.channels + channel]);
    set_own(dz, i, fma(coefficients[GRADIENT_FACTOR * shape.channels + channel], dy, rest));
}
