#include "vgg_kernels.h"

#include <math.h>

// How much the loss counts what is said of class n: its part of the target, and its weight.
static double part(const vgg_target *target, size_t classes, size_t n) {
    const double own = (int32_t)n == target->label ? 1 - (double)target->share : 0;
    const double partners = (int32_t)n == target->partner ? (double)target->share : 0;
    const double smoothing = (double)target->smoothing;
    const double part = (1 - smoothing) * (own + partners) + smoothing / (double)classes;
    return target->weights ? part * (double)target->weights[n] : part;
}

double vgg_softmax_cross_entropy(const float *logits, size_t classes, const vgg_target *target, float scale,
                                 float *gradient) {
    float top = logits[0];
    for (size_t n = 1; n < classes; n++)
        top = logits[n] > top ? logits[n] : top;
    double sum = 0;
    for (size_t n = 0; n < classes; n++)
        sum += exp((double)(logits[n] - top));
    double loss = 0, weight = 0;
    for (size_t n = 0; n < classes; n++) {
        const double wanted = part(target, classes, n);
        weight += wanted;
        // An infinite logit of a class that does not count is none.
        loss += wanted > 0 ? wanted * (log(sum) - (double)(logits[n] - top)) : 0;
    }
    if (!target->weights)
        weight = 1;
    if (gradient)
        for (size_t n = 0; n < classes; n++) {
            const double probability = exp((double)(logits[n] - top)) / sum;
            gradient[n] = (float)(weight * probability - part(target, classes, n)) * scale;
        }
    return loss;
}
