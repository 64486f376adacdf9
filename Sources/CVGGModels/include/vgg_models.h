#pragma once

#include <stddef.h>

// Weight files that are a part of the program, so that it has them wherever it is copied to.

typedef struct {
    // The whole file, safetensors.
    const void *bytes;
    size_t count;
} vgg_model_file;

// Fashion-MNIST's ten classes; docs/records says how it was trained.
vgg_model_file vgg_fashion_mnist(void);
