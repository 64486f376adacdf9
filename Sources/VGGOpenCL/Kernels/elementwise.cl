// Kernels that make each number of theirs from a few others.

// The gradient of a ReLU's input, in place: that of its output where the output is positive.
kernel void mask_gradient(global float *gradient, global const float *y, int count) {
    const int i = get_global_id(0);
    if (i < count && !(y[i] > 0))
        gradient[i] = 0;
}
