// Softmax cross-entropy of logits[image][class].

// e^x of a number that is not above 0. It has the same bits on every device, which OpenCL's own has not;
// below -86, where it is less than any sum of such numbers can tell, it is 0. x is n log 2 and a rest of at
// most half of that, whose series ends with its seventh power.
float exponential(float x) {
    if (x < -86)
        return 0;
    const float n = rint(x * 1.44269504f);
    // log 2 as a number of few bits, of which n is an exact multiple, and what is left of it.
    const float rest = fma(n, 2.12194440e-4f, fma(n, -0.693359375f, x));
    float power = 1 / 5040.0f;
    power = fma(power, rest, 1 / 720.0f);
    power = fma(power, rest, 1 / 120.0f);
    power = fma(power, rest, 1 / 24.0f);
    power = fma(power, rest, 1 / 6.0f);
    power = fma(power, rest, 0.5f);
    power = fma(power, rest, 1);
    power = fma(power, rest, 1);
    return power * as_float((uint)((int)n + 127) << 23);
}

// The place of the largest of all work-items' values, of equals the first, known to all of them. `values` and
// `places` have a place for each.
int group_best(local float *values, local int *places, float value, int place) {
    const int id = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    values[id] = value;
    places[id] = place;
    for (int half_size = SUM_GROUP / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (id < half_size) {
            const float other = values[id + half_size];
            const int other_place = places[id + half_size];
            if (other > values[id] || (other == values[id] && other_place < places[id])) {
                values[id] = other;
                places[id] = other_place;
            }
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return places[0];
}

// What a network is to say about image get_group_id(0): its class, that of its partner, and which share of
// the target is the partner's.
typedef struct {
    int label, partner;
    float share;
} image_target;

image_target target_of(global const float *targets) {
    image_target target;
    targets += 3 * get_group_id(0);
    target.label = targets[0];
    target.partner = targets[1];
    target.share = targets[2];
    return target;
}

// How much the loss counts what is said of class n: its part of the target, and its weight. All classes have
// `rest` of the target alike, and the image's own share the others.
float target_part(const image_target *target, int n, float others, float rest, global const float *weights) {
    const float own =
        (n == target->label ? 1 - target->share : 0) + (n == target->partner ? target->share : 0);
    const float part = fma(others, own, rest);
    return weights ? part * weights[n] : part;
}

// results[image][2] are the loss and whether the largest logit is that of the label, or of the partner if
// that has the larger share; gradient is that of the logits, times `scale`. weights and gradient may be null.
kernel __attribute__((reqd_work_group_size(SUM_GROUP, 1, 1))) void
cross_entropy(int classes, float others, float rest, float scale, global const float *weights,
              global const float *targets, global const float *logits, global float *gradient,
              global float *results) {
    local float values[SUM_GROUP];
    local int places[SUM_GROUP];
    const int id = get_local_id(0);
    const size_t image = get_group_id(0);
    const image_target target = target_of(targets);
    logits += image * classes;

    float largest = logits[0];
    int place = 0;
    for (int n = id; n < classes; n += SUM_GROUP)
        if (logits[n] > largest) {
            largest = logits[n];
            place = n;
        }
    const int best = group_best(values, places, largest, place);
    const float top = logits[best];

    float sum = 0;
    for (int n = id; n < classes; n += SUM_GROUP)
        sum += exponential(logits[n] - top);
    sum = group_sum(values, sum);

    float loss = 0, weight = 0;
    for (int n = id; n < classes; n += SUM_GROUP) {
        const float wanted = target_part(&target, n, others, rest, weights);
        weight += wanted;
        // An infinite logit of a class that does not count is none.
        if (wanted > 0)
            loss = fma(wanted, log(sum) - (logits[n] - top), loss);
    }
    loss = group_sum(values, loss);
    weight = weights ? group_sum(values, weight) : 1;
    if (id == 0) {
        results[2 * image] = loss;
        results[2 * image + 1] = best == (target.share > 0.5f ? target.partner : target.label);
    }

    if (!gradient)
        return;
    gradient += image * classes;
    for (int n = id; n < classes; n += SUM_GROUP) {
        const float probability = exponential(logits[n] - top) / sum;
        const float wanted = target_part(&target, n, others, rest, weights);
        gradient[n] = fma(weight, probability, -wanted) * scale;
    }
}
