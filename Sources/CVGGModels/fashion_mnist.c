#include "vgg_models.h"

// It is C23, which clang has in every mode since version 19.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char bytes[] = {
#embed "fashion-mnist.safetensors"
};

vgg_model_file vgg_fashion_mnist(void) { return (vgg_model_file){bytes, sizeof bytes}; }
