// The tables that the instruction sets' files define.
#pragma once
#include "vgg_bf16_kernels.h"
#include "vgg_kernels.h"

#define VGG_TABLES(name, table, bf16_table)                                                                  \
    extern const vgg_kernels vgg_kernels__##table;                                                           \
    extern const vgg_bf16_kernels vgg_bf16_kernels__##bf16_table;
VGG_INSTRUCTION_SET_LIST(VGG_TABLES)
