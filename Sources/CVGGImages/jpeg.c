#include "problem.h"

#ifdef VGG_HAS_JPEG

#include <jpeglib.h>
#include <setjmp.h>

// Pictures have about ten. Without a limit, a small file could ask for hours of work.
enum { MOST_SCANS = 500 };

// What is known while a picture is read. The library finds it by `errors`, which therefore comes first.
typedef struct {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_source_mgr source;
    jmp_buf escape;
    vgg_image *image;
    volatile bool is_truncated;
} reading;

static reading *reading_of(j_common_ptr jpeg) { return (reading *)jpeg->err; }

static void fail(j_common_ptr jpeg) {
    char words[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, words);
    set_problem(reading_of(jpeg)->image, words);
    longjmp(reading_of(jpeg)->escape, 1);
}

// Warnings are for damage that does not stop the decoder; Pillow passes over them, too.
static void ignore_message(j_common_ptr jpeg, int level) {
    (void)jpeg;
    (void)level;
}

static void limit_scans(j_common_ptr jpeg) {
    if (((j_decompress_ptr)jpeg)->input_scan_number <= MOST_SCANS)
        return;
    set_problem(reading_of(jpeg)->image, "it has too many scans");
    longjmp(reading_of(jpeg)->escape, 1);
}

static void keep_source(j_decompress_ptr jpeg) { (void)jpeg; }

// The whole file is in memory already: asking for more is asking for what is not there.
static boolean find_end(j_decompress_ptr jpeg) {
    reading *state = reading_of((j_common_ptr)jpeg);
    state->is_truncated = true;
    longjmp(state->escape, 1);
}

static void skip(j_decompress_ptr jpeg, long count) {
    if (count <= 0)
        return;
    if ((size_t)count > jpeg->src->bytes_in_buffer)
        find_end(jpeg);
    jpeg->src->next_input_byte += count;
    jpeg->src->bytes_in_buffer -= (size_t)count;
}

// a·b/255, rounded.
static uint8_t product(uint8_t a, uint8_t b) {
    const unsigned scaled = (unsigned)a * b + 128;
    return (uint8_t)((scaled + (scaled >> 8)) >> 8);
}

// Pillow's conversion of ink to light. Files hold the inks inverted, as Adobe's programs write them.
static void convert_inks(const uint8_t *inks, uint8_t *pixels, uint32_t width) {
    for (uint32_t x = 0; x < width; x++, inks += 4, pixels += 3)
        for (int channel = 0; channel < 3; channel++)
            pixels[channel] = (uint8_t)(inks[3] - product(255 - inks[channel], inks[3]));
}

static void read_rows(j_decompress_ptr jpeg, vgg_image *image) {
    const bool is_ink = jpeg->num_components == 4;
    jpeg->out_color_space = is_ink ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    JSAMPROW inks =
        is_ink ? jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, image->width * 4, 1)[0] : NULL;
    while (jpeg->output_scanline < image->height) {
        uint8_t *row = image->pixels + (size_t)jpeg->output_scanline * image->width * 3;
        JSAMPROW target = is_ink ? inks : row;
        jpeg_read_scanlines(jpeg, &target, 1);
        if (is_ink)
            convert_inks(inks, row, image->width);
    }
    jpeg_finish_decompress(jpeg);
}

vgg_image_result vgg_read_jpeg(const uint8_t *bytes, size_t count, vgg_image *image) {
    struct jpeg_decompress_struct jpeg;
    reading state = {.image = image};
    jpeg.err = jpeg_std_error(&state.errors);
    state.errors.error_exit = fail;
    state.errors.emit_message = ignore_message;
    if (setjmp(state.escape)) {
        jpeg_destroy_decompress(&jpeg);
        return state.is_truncated ? VGG_IMAGE_TRUNCATED : VGG_IMAGE_DAMAGED;
    }
    jpeg_create_decompress(&jpeg);
    state.progress.progress_monitor = limit_scans;
    jpeg.progress = &state.progress;
    state.source = (struct jpeg_source_mgr){
        .next_input_byte = bytes,
        .bytes_in_buffer = count,
        .init_source = keep_source,
        .fill_input_buffer = find_end,
        .skip_input_data = skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = keep_source,
    };
    jpeg.src = &state.source;
    jpeg_read_header(&jpeg, TRUE);
    if (image->pixels == NULL) {
        image->width = jpeg.image_width;
        image->height = jpeg.image_height;
    } else if (jpeg.image_width == image->width && jpeg.image_height == image->height) {
        read_rows(&jpeg, image);
    } else {
        set_problem(image, "its size is not the expected one");
        longjmp(state.escape, 1);
    }
    jpeg_destroy_decompress(&jpeg);
    return VGG_IMAGE_READ;
}

bool vgg_has_jpeg(void) { return true; }

#else

vgg_image_result vgg_read_jpeg(const uint8_t *bytes, size_t count, vgg_image *image) {
    (void)bytes;
    (void)count;
    set_problem(image, "built without libjpeg");
    return VGG_IMAGE_DAMAGED;
}

bool vgg_has_jpeg(void) { return false; }

#endif
