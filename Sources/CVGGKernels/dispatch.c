#include "vgg_kernels.h"
