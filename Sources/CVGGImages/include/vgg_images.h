#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Pictures in memory, decoded by the system's libraries. The bytes are trusted in nothing; no function keeps
// state, so any number of threads may decode.

typedef struct {
    // In pixels.
    uint32_t width, height;
    // Whether pixels of the file may be transparent; said with the size.
    bool has_alpha;
    // Whether `pixels` has a fourth byte, the alpha; only for files that have it.
    bool wants_alpha;
    // [height, width, 3 or 4], red first, of the width and height above; NULL if only the size is wanted.
    uint8_t *pixels;
    // If reading fails: why, in the library's words.
    char problem[200];
} vgg_image;

typedef enum { VGG_IMAGE_READ, VGG_IMAGE_TRUNCATED, VGG_IMAGE_DAMAGED } vgg_image_result;

// Whether the package was built where the library is; without it, reading fails.
bool vgg_has_jpeg(void);
bool vgg_has_png(void);
bool vgg_has_webp(void);

// Reads the size if `pixels` is NULL, else the pixels. Colours are as they lie under the alpha, and CMYK
// is inverted as in Adobe's files.
vgg_image_result vgg_read_jpeg(const uint8_t *bytes, size_t count, vgg_image *image);
vgg_image_result vgg_read_png(const uint8_t *bytes, size_t count, vgg_image *image);
// The first frame, if it is an animation.
vgg_image_result vgg_read_webp(const uint8_t *bytes, size_t count, vgg_image *image);
