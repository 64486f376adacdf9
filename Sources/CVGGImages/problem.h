#pragma once

#include "vgg_images.h"
#include <stdio.h>

static inline void set_problem(vgg_image *image, const char *words) {
    snprintf(image->problem, sizeof image->problem, "%s", words);
}
