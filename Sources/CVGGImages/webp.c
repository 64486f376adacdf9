#include "problem.h"

#ifdef VGG_HAS_WEBP

#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

static vgg_image_result damaged(vgg_image *image, const char *words) {
    set_problem(image, words);
    return VGG_IMAGE_DAMAGED;
}

// Decodes the frame to its place; what it does not cover is black, and transparent, as an empty canvas is.
static vgg_image_result read_frame(const WebPIterator *frame, vgg_image *image) {
    const size_t bytes = image->wants_alpha ? 4 : 3;
    const size_t stride = image->width * bytes, total = stride * image->height;
    if (frame->x_offset < 0 || frame->y_offset < 0 || frame->width <= 0 || frame->height <= 0 ||
        (uint64_t)frame->x_offset + (uint64_t)frame->width > image->width ||
        (uint64_t)frame->y_offset + (uint64_t)frame->height > image->height)
        return damaged(image, "its first frame does not fit");
    if ((uint32_t)frame->width < image->width || (uint32_t)frame->height < image->height)
        memset(image->pixels, 0, total);

    const size_t start = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * bytes;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return damaged(image, "libwebp is of another version");
    config.output.colorspace = image->wants_alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){
        .rgba = image->pixels + start,
        .stride = (int)stride,
        .size = total - start,
    };
    const VP8StatusCode status = WebPDecode(frame->fragment.bytes, frame->fragment.size, &config);
    WebPFreeDecBuffer(&config.output);
    switch (status) {
    case VP8_STATUS_OK:
        return VGG_IMAGE_READ;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return VGG_IMAGE_TRUNCATED;
    case VP8_STATUS_OUT_OF_MEMORY:
        return damaged(image, "there is not enough memory");
    default:
        return damaged(image, "its data cannot be decoded");
    }
}

vgg_image_result vgg_read_webp(const uint8_t *bytes, size_t count, vgg_image *image) {
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    const WebPData data = {bytes, count};
    WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
    vgg_image_result result = VGG_IMAGE_READ;
    WebPIterator frame;
    if (demuxer == NULL || state != WEBP_DEMUX_DONE) {
        const bool is_whole = state == WEBP_DEMUX_PARSE_ERROR;
        result = is_whole ? damaged(image, "its parts do not fit together") : VGG_IMAGE_TRUNCATED;
    } else if (image->pixels == NULL) {
        image->width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
        image->height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
        image->has_alpha = WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & ALPHA_FLAG;
    } else if (image->width != WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH) ||
               image->height != WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT)) {
        result = damaged(image, "its size is not the expected one");
    } else if (!WebPDemuxGetFrame(demuxer, 1, &frame)) {
        result = damaged(image, "it has no frame");
    } else {
        result = read_frame(&frame, image);
        WebPDemuxReleaseIterator(&frame);
    }
    WebPDemuxDelete(demuxer);
    return result;
}

bool vgg_has_webp(void) { return true; }

#else

vgg_image_result vgg_read_webp(const uint8_t *bytes, size_t count, vgg_image *image) {
    (void)bytes;
    (void)count;
    set_problem(image, "built without libwebp");
    return VGG_IMAGE_DAMAGED;
}

bool vgg_has_webp(void) { return false; }

#endif
