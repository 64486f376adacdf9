// What a device can reach at most.

// Multiply-adds between registers: 32 operations a work-item and round.
kernel void peak(int rounds, float factor, global float *results) {
    float4 sums[4];
    for (int i = 0; i < 4; i++)
        sums[i] = (float4)((float)get_global_id(0) + (float)i);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < 4; i++)
            sums[i] = fma(sums[i], (float4)(factor), (float4)(factor));
    float numbers[4];
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        numbers_of(sums[i], numbers);
        sum += numbers[0] + numbers[1] + numbers[2] + numbers[3];
    }
    results[get_global_id(0)] = sum;
}
