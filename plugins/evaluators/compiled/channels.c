/* Channels of one array in several, and back.

Arrays are float32 of the shape (rows, channels), a row for each pixel of each image. Copies are as wide as a vector: what
is copied behind a row is overwritten by what belongs there, so rows and parts are taken in their order. */

#include <stdint.h>
#include <string.h>

#include "widest.h"

enum { LANES = 16 };

/* How many rows of `channels` values can be read and written in whole vectors, with `size` of them from one on. */
PART int64_t wide_rows(int64_t rows, int64_t channels, int64_t from, int64_t size) {
    int64_t last = (size - 1) / LANES * LANES, room = rows * channels - from - last - LANES;
    int64_t count = room < 0 ? 0 : room / channels + 1;
    return count < rows ? count : rows;
}

PART int64_t least(int64_t first, int64_t second) { return first < second ? first : second; }

PART void copy_wide(float *target, const float *source, int64_t size) {
    for (int64_t c = 0; c < size; c += LANES) memcpy(target + c, source + c, LANES * sizeof(float));
}

/* Each part gets as many channels as its size says. */
WIDEST
void split_channels(const float *whole, float *const *parts, const int64_t *sizes, int64_t count, int64_t rows,
                    int64_t channels) {
    for (int64_t part = 0, from = 0; part < count; from += sizes[part++]) {
        int64_t size = sizes[part];
        int64_t wide = least(wide_rows(rows, channels, from, size), wide_rows(rows, size, 0, size));
        float *target = parts[part];
        for (int64_t i = 0; i < wide; i++) copy_wide(target + i * size, whole + i * channels + from, size);
        for (int64_t i = wide; i < rows; i++)
            memcpy(target + i * size, whole + i * channels + from, (size_t)size * sizeof(float));
    }
}

WIDEST
void join_channels(float *whole, const float *const *parts, const int64_t *sizes, int64_t count, int64_t rows,
                   int64_t channels) {
    int64_t wide = rows;
    for (int64_t part = 0, from = 0; part < count; from += sizes[part++]) {
        wide = least(wide, wide_rows(rows, channels, from, sizes[part]));
        wide = least(wide, wide_rows(rows, sizes[part], 0, sizes[part]));
    }
    for (int64_t i = 0; i < wide; i++)
        for (int64_t part = 0, from = 0; part < count; from += sizes[part++])
            copy_wide(whole + i * channels + from, parts[part] + i * sizes[part], sizes[part]);
    for (int64_t i = wide; i < rows; i++)
        for (int64_t part = 0, from = 0; part < count; from += sizes[part++])
            memcpy(whole + i * channels + from, parts[part] + i * sizes[part], (size_t)sizes[part] * sizeof(float));
}
