/* 3x3 pooling of stride 1 with one pixel of padding, forward and backward.

Arrays are float32 of the shape (batch, height, width, channels): a neighbour in the width is a shift by the number of
channels, so that loops run along whole rows whatever that number is. Values are compared and summed in the order of
PyTorch's own loops, windows and their places from the top left: results are equal to the last bit. */

#include <math.h>
#include <stdint.h>

#include "widest.h"

#define FIRST_ROW(y) ((y) == 0 ? 0 : -1)
#define LAST_ROW(y, height) ((y) == (height) - 1 ? 0 : 1)

PART float window_size(int64_t y, int64_t x, int64_t height, int64_t width) {
    int64_t rows = LAST_ROW(y, height) - FIRST_ROW(y) + 1;
    int64_t columns = LAST_ROW(x, width) - FIRST_ROW(x) + 1;
    return (float)(rows * columns);
}

PART void consider(float value, int32_t place, float *best, int32_t *found) {
    int better = (value > *best) | (value != value);
    *best = better ? value : *best;
    *found = better ? place : *found;
}

/* Largest of each value of a row and its neighbours, and which of the three it is; the first where all are equal. */
PART void find_row_maxima(const float *restrict source, float *restrict best, int32_t *restrict found, int64_t width,
                          int64_t channels) {
    int64_t row = width * channels, right = row - channels;
    for (int64_t i = 0; i < channels; i++) {
        best[i] = source[i];
        found[i] = 1;
        if (width > 1) consider(source[i + channels], 2, &best[i], &found[i]);
    }
    for (int64_t i = channels; i < right; i++) {
        float value = source[i - channels];
        int32_t place = 0;
        consider(source[i], 1, &value, &place);
        consider(source[i + channels], 2, &value, &place);
        best[i] = value;
        found[i] = place;
    }
    for (int64_t i = right; i < row && width > 1; i++) {
        best[i] = source[i - channels];
        found[i] = 0;
        consider(source[i], 1, &best[i], &found[i]);
    }
}

/* from: which of the nine places of its window each maximum is from; best, found: space for three rows each. */
WIDEST
void max_pool_forward(const float *restrict input, float *restrict output, uint8_t *restrict from,
                      float *restrict best, int32_t *restrict found, int64_t batch, int64_t height, int64_t width,
                      int64_t channels) {
    int64_t row = width * channels;
    for (int64_t line = 0; line < batch * height; line++) {
        int64_t y = line % height, above = (line + 2) % 3 * row, here = line % 3 * row, below = (line + 1) % 3 * row;
        if (y == 0) find_row_maxima(input + line * row, best + here, found + here, width, channels);
        int has_above = y > 0, has_below = y < height - 1;
        if (has_below) find_row_maxima(input + (line + 1) * row, best + below, found + below, width, channels);
        for (int64_t i = 0; i < row; i++) {
            float value = has_above ? best[above + i] : best[here + i];
            int32_t place = has_above ? found[above + i] : 3 + found[here + i];
            if (has_above) consider(best[here + i], 3 + found[here + i], &value, &place);
            if (has_below) consider(best[below + i], 6 + found[below + i], &value, &place);
            output[line * row + i] = value;
            from[line * row + i] = (uint8_t)place;
        }
    }
}

PART float share_of_maximum(float gradient, uint8_t from, int64_t place) {
    return from == (uint8_t)place ? gradient : 0.0f;
}

WIDEST
void max_pool_backward(const float *restrict output_gradient, const uint8_t *restrict from,
                       float *restrict input_gradient, int64_t batch, int64_t height, int64_t width, int64_t channels) {
    int64_t row = width * channels, right = row - channels;
    for (int64_t line = 0; line < batch * height; line++) {
        int64_t y = line % height;
        float *restrict sum = input_gradient + line * row;
        for (int64_t i = 0; i < row; i++) sum[i] = 0.0f;
        for (int64_t dy = FIRST_ROW(y); dy <= LAST_ROW(y, height); dy++) {
            const float *gradient = output_gradient + (line + dy) * row;
            const uint8_t *places = from + (line + dy) * row;
            /* This row within the windows of that one: where their middle is one row higher, it is their last. */
            int64_t place = 3 * (1 - dy);
            for (int64_t i = 0; i < channels; i++) {
                sum[i] += share_of_maximum(gradient[i], places[i], place + 1);
                if (width > 1) sum[i] += share_of_maximum(gradient[i + channels], places[i + channels], place);
            }
            for (int64_t i = channels; i < right; i++) {
                float total = sum[i];
                total += share_of_maximum(gradient[i - channels], places[i - channels], place + 2);
                total += share_of_maximum(gradient[i], places[i], place + 1);
                total += share_of_maximum(gradient[i + channels], places[i + channels], place);
                sum[i] = total;
            }
            for (int64_t i = right; i < row && width > 1; i++) {
                sum[i] += share_of_maximum(gradient[i - channels], places[i - channels], place + 2);
                sum[i] += share_of_maximum(gradient[i], places[i], place + 1);
            }
        }
    }
}

/* Add to each place of a row what its neighbours in another row have. */
PART void add_windows(float *restrict sum, const float *restrict source, int64_t width, int64_t channels) {
    int64_t row = width * channels, right = row - channels;
    for (int64_t i = 0; i < channels; i++) {
        sum[i] += source[i];
        if (width > 1) sum[i] += source[i + channels];
    }
    for (int64_t i = channels; i < right; i++) sum[i] = sum[i] + source[i - channels] + source[i] + source[i + channels];
    for (int64_t i = right; i < row && width > 1; i++) sum[i] = sum[i] + source[i - channels] + source[i];
}

/* Means of what is inside the image. */
WIDEST
void average_pool_forward(const float *restrict input, float *restrict output, int64_t batch, int64_t height,
                          int64_t width, int64_t channels) {
    int64_t row = width * channels;
    for (int64_t line = 0; line < batch * height; line++) {
        int64_t y = line % height;
        float *restrict sum = output + line * row;
        for (int64_t i = 0; i < row; i++) sum[i] = 0.0f;
        for (int64_t dy = FIRST_ROW(y); dy <= LAST_ROW(y, height); dy++)
            add_windows(sum, input + (line + dy) * row, width, channels);
        for (int64_t x = 0; x < width; x++) {
            float size = window_size(y, x, height, width);
            for (int64_t i = x * channels; i < (x + 1) * channels; i++) sum[i] /= size;
        }
    }
}

/* share: space for one row. */
WIDEST
void average_pool_backward(const float *restrict output_gradient, float *restrict input_gradient,
                           float *restrict share, int64_t batch, int64_t height, int64_t width, int64_t channels) {
    int64_t row = width * channels;
    for (int64_t i = 0; i < batch * height * row; i++) input_gradient[i] = 0.0f;
    for (int64_t line = 0; line < batch * height; line++) {
        int64_t y = line % height;
        for (int64_t x = 0; x < width; x++) {
            float size = window_size(y, x, height, width);
            for (int64_t i = x * channels; i < (x + 1) * channels; i++)
                share[i] = output_gradient[line * row + i] / size;
        }
        for (int64_t dy = FIRST_ROW(y); dy <= LAST_ROW(y, height); dy++)
            add_windows(input_gradient + (line + dy) * row, share, width, channels);
    }
}
