// What a device can reach at most.

// Multiply-adds between registers: 128 operations a work-item and round. The sums have names and begin apart,
// so that no compiler makes an array in memory of them, or one of two. results: eight of each work-item.
kernel void peak(int rounds, float factor, global float *results) {
    const float8 f = (float8)(factor);
    const float start = get_global_id(0);
    float8 a = (float8)(start), b = (float8)(start + 1), c = (float8)(start + 2), d = (float8)(start + 3),
           e = (float8)(start + 4), g = (float8)(start + 5), h = (float8)(start + 6), i = (float8)(start + 7);
    for (int round = 0; round < rounds; round++) {
        a = fma(a, f, f);
        b = fma(b, f, f);
        c = fma(c, f, f);
        d = fma(d, f, f);
        e = fma(e, f, f);
        g = fma(g, f, f);
        h = fma(h, f, f);
        i = fma(i, f, f);
    }
    vstore8(fma(a, b, fma(c, d, fma(e, g, fma(h, i, f)))), get_global_id(0), results);
}
