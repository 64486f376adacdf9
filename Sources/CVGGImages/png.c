#include "problem.h"

#ifdef VGG_HAS_PNG

#include <png.h>
#include <string.h>

typedef struct {
    vgg_image *image;
    const uint8_t *next;
    size_t left;
    volatile bool is_truncated;
} reading;

static void fail(png_structp png, png_const_charp words) {
    set_problem(((reading *)png_get_error_ptr(png))->image, words);
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp words) {
    (void)png;
    (void)words;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    reading *state = png_get_io_ptr(png);
    if (count > state->left) {
        state->is_truncated = true;
        png_error(png, "the file ends too early");
    }
    memcpy(target, state->next, count);
    state->next += count;
    state->left -= count;
}

// Every kind of PNG to three bytes a pixel and perhaps its alpha, as Pillow does it: of 16 bits the upper
// eight, without gamma, and what lies under the alpha as it is. Pillow clips 16-bit grey at 255 instead,
// which makes nearly all of it white.
static void set_transforms(png_structp png, bool with_alpha) {
    png_set_expand(png);
    if (with_alpha)
        png_set_add_alpha(png, 255, PNG_FILLER_AFTER);
    else
        png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    png_set_strip_16(png);
}

static void read_picture(png_structp png, png_infop info, vgg_image *image) {
    // Only the pixels are wanted: other chunks are not even stored.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    // The caller has a limit of its own.
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(png, info);
    const uint32_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    if (image->pixels == NULL) {
        image->width = width;
        image->height = height;
        image->has_alpha =
            png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA || png_get_valid(png, info, PNG_INFO_tRNS);
        return;
    }
    if (width != image->width || height != image->height)
        png_error(png, "its size is not the expected one");
    set_transforms(png, image->wants_alpha);
    const size_t row_bytes = (size_t)width * (image->wants_alpha ? 4 : 3);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != row_bytes)
        png_error(png, "its rows have an unexpected length");
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < height; y++)
            png_read_row(png, image->pixels + y * row_bytes, NULL);
    png_read_end(png, NULL);
}

vgg_image_result vgg_read_png(const uint8_t *bytes, size_t count, vgg_image *image) {
    reading state = {.image = image, .next = bytes, .left = count};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, fail, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        set_problem(image, "libpng cannot be started: out of memory, or of another version");
        return VGG_IMAGE_DAMAGED;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return state.is_truncated ? VGG_IMAGE_TRUNCATED : VGG_IMAGE_DAMAGED;
    }
    png_set_read_fn(png, &state, read_bytes);
    read_picture(png, info, image);
    png_destroy_read_struct(&png, &info, NULL);
    return VGG_IMAGE_READ;
}

bool vgg_has_png(void) { return true; }

#else

vgg_image_result vgg_read_png(const uint8_t *bytes, size_t count, vgg_image *image) {
    (void)bytes;
    (void)count;
    set_problem(image, "built without libpng");
    return VGG_IMAGE_DAMAGED;
}

bool vgg_has_png(void) { return false; }

#endif
