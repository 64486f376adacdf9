#include "vgg_kernels.h"

#include <string.h>

void vgg_zero_border(void *map, size_t height, size_t width, size_t pixel_bytes, size_t border) {
    char *start = map;
    const size_t row = (width + 2 * border) * pixel_bytes;
    memset(start, 0, border * row);
    for (size_t y = border; y < border + height; y++) {
        memset(start + y * row, 0, border * pixel_bytes);
        memset(start + y * row + (border + width) * pixel_bytes, 0, border * pixel_bytes);
    }
    memset(start + (border + height) * row, 0, border * row);
}

void vgg_max_pool(const vgg_map *xm, const float *x, size_t window, size_t stride, const vgg_map *ym,
                  float *y, uint16_t *winner) {
    // So many channels at a time, without branches, which any compiler makes vectors of.
    enum { CHANNELS = 64 };
    const size_t channels = ym->channels;
    for (size_t row = 0; row < ym->height; row++)
        for (size_t pixel = 0; pixel < ym->width; pixel++)
            for (size_t first = 0; first < channels; first += CHANNELS) {
                const size_t count = channels - first < CHANNELS ? channels - first : CHANNELS;
                const float *corner = x + (ptrdiff_t)(row * stride) * xm->row +
                                      (ptrdiff_t)(pixel * stride) * xm->pixel + (ptrdiff_t)first;
                float best[CHANNELS];
                int32_t where[CHANNELS] = {0};
                memcpy(best, corner, count * sizeof *best);
                for (size_t position = 1; position < window * window; position++) {
                    const float *from = corner + (ptrdiff_t)(position / window) * xm->row +
                                        (ptrdiff_t)(position % window) * xm->pixel;
                    for (size_t n = 0; n < count; n++) {
                        // The first of equals wins, and not-a-number beats everything, as in PyTorch.
                        const int wins = (from[n] > best[n]) | (from[n] != from[n]);
                        best[n] = wins ? from[n] : best[n];
                        where[n] = wins ? (int32_t)position : where[n];
                    }
                }
                memcpy(y + (ptrdiff_t)row * ym->row + (ptrdiff_t)pixel * ym->pixel + (ptrdiff_t)first, best,
                       count * sizeof *best);
                for (size_t n = 0; winner && n < count; n++)
                    winner[(row * ym->width + pixel) * channels + first + n] = (uint16_t)where[n];
            }
}

void vgg_max_pool_gradient(const float *gradient, const uint16_t *winner, size_t pooled_height,
                           size_t pooled_width, size_t window, size_t stride, const vgg_map *dm, float *dx) {
    for (size_t row = 0; row < pooled_height; row++)
        for (size_t pixel = 0; pixel < pooled_width; pixel++) {
            const size_t at = (row * pooled_width + pixel) * dm->channels;
            float *corner =
                dx + (ptrdiff_t)(row * stride) * dm->row + (ptrdiff_t)(pixel * stride) * dm->pixel;
            for (size_t n = 0; n < dm->channels; n++) {
                const size_t position = winner[at + n];
                corner[(ptrdiff_t)(position / window) * dm->row + (ptrdiff_t)(position % window) * dm->pixel +
                       (ptrdiff_t)n] += gradient[at + n];
            }
        }
}

void vgg_average_pool(const vgg_map *xm, const float *x, const size_t *rows, const size_t *columns,
                      const vgg_map *ym, float *y) {
    for (size_t row = 0; row < ym->height; row++)
        for (size_t pixel = 0; pixel < ym->width; pixel++) {
            float *to = y + (ptrdiff_t)row * ym->row + (ptrdiff_t)pixel * ym->pixel;
            const size_t area =
                (rows[2 * row + 1] - rows[2 * row]) * (columns[2 * pixel + 1] - columns[2 * pixel]);
            for (size_t n = 0; n < ym->channels; n++)
                to[n] = 0;
            for (size_t r = rows[2 * row]; r < rows[2 * row + 1]; r++)
                for (size_t c = columns[2 * pixel]; c < columns[2 * pixel + 1]; c++) {
                    const float *from = x + (ptrdiff_t)r * xm->row + (ptrdiff_t)c * xm->pixel;
                    for (size_t n = 0; n < ym->channels; n++)
                        to[n] += from[n];
                }
            for (size_t n = 0; n < ym->channels; n++)
                to[n] /= (float)area;
        }
}

void vgg_average_pool_gradient(const float *gradient, const size_t *rows, const size_t *columns,
                               const vgg_map *ym, const vgg_map *dm, float *dx) {
    for (size_t row = 0; row < ym->height; row++)
        for (size_t pixel = 0; pixel < ym->width; pixel++) {
            const float *g = gradient + (row * ym->width + pixel) * ym->channels;
            const size_t area =
                (rows[2 * row + 1] - rows[2 * row]) * (columns[2 * pixel + 1] - columns[2 * pixel]);
            const float share = 1 / (float)area;
            for (size_t r = rows[2 * row]; r < rows[2 * row + 1]; r++)
                for (size_t c = columns[2 * pixel]; c < columns[2 * pixel + 1]; c++) {
                    float *to = dx + (ptrdiff_t)r * dm->row + (ptrdiff_t)c * dm->pixel;
                    for (size_t n = 0; n < ym->channels; n++)
                        to[n] += g[n] * share;
                }
        }
}
