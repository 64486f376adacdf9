#include "vgg_kernels.h"

#include <math.h>

double vgg_softmax_cross_entropy(const float *logits, size_t classes, int32_t label, float smoothing,
                                 float scale, float *gradient) {
    float top = logits[0];
    for (size_t n = 1; n < classes; n++)
        top = logits[n] > top ? logits[n] : top;
    double sum = 0;
    for (size_t n = 0; n < classes; n++)
        sum += exp((double)(logits[n] - top));
    const double others = (double)smoothing / (double)classes;
    const double own = 1 - (double)smoothing + others;
    if (gradient)
        for (size_t n = 0; n < classes; n++) {
            const double probability = exp((double)(logits[n] - top)) / sum;
            gradient[n] = (float)(probability - ((int32_t)n == label ? own : others)) * scale;
        }
    double loss = own * (log(sum) - (double)(logits[label] - top));
    if (others > 0)
        for (size_t n = 0; n < classes; n++)
            loss += (int32_t)n == label ? 0 : others * (log(sum) - (double)(logits[n] - top));
    return loss;
}
