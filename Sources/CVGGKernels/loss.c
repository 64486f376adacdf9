#include "vgg_kernels.h"

#include <math.h>

double vgg_softmax_cross_entropy(const float *logits, size_t classes, int32_t label, float scale,
                                 float *gradient) {
    float top = logits[0];
    for (size_t n = 1; n < classes; n++)
        top = logits[n] > top ? logits[n] : top;
    double sum = 0;
    for (size_t n = 0; n < classes; n++)
        sum += exp((double)(logits[n] - top));
    if (gradient)
        for (size_t n = 0; n < classes; n++) {
            const double probability = exp((double)(logits[n] - top)) / sum;
            gradient[n] = (float)(probability - ((int32_t)n == label)) * scale;
        }
    return log(sum) - (double)(logits[label] - top);
}
