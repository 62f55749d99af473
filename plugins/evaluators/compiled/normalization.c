/* Batch normalisation by the statistics of the batch, with or without a ReLU behind it, forward and backward.

Arrays are float32 of the shape (rows, channels), a row for each pixel of each image. Every sum runs over the rows in
their order, and products are fused with additions where PyTorch's vectors fuse them: results are equal to the last bit
to what PyTorch computes with one thread. */

#include <math.h>
#include <stdint.h>

#include "widest.h"

/* Channels whose sums are kept in registers, rows that are computed in one loop, and channels in a vector of PyTorch's,
which does not fuse all operations for what is left over. */
enum { LANES = 16, BLOCK = 16, VECTOR = 8 };

static inline float fused(float factor, float other, float sum) { return __builtin_fmaf(factor, other, sum); }

static inline float rectified(float value) { return value < 0.0f ? 0.0f : value; }

static inline float passed(float gradient, float output, int rectify) {
    return rectify && output <= 0.0f ? 0.0f : gradient;
}

/* How many rows can be read LANES wide from a channel on without reading behind the array. */
static inline int64_t wide_rows(int64_t rows, int64_t channels, int64_t channel) {
    int64_t readable = rows * channels - channel - LANES;
    int64_t count = readable < 0 ? 0 : readable / channels + 1;
    return count < rows ? count : rows;
}

static inline int64_t lanes_from(int64_t channels, int64_t channel) {
    return channels - channel < LANES ? channels - channel : LANES;
}

/* Sums of all channels. */
static inline void sum_rows(const float *restrict input, float *restrict sums, int64_t rows, int64_t channels) {
    for (int64_t channel = 0; channel < channels; channel += LANES) {
        int64_t lanes = lanes_from(channels, channel), wide = wide_rows(rows, channels, channel);
        float sum[LANES] = {0};
        for (int64_t i = 0; i < wide; i++)
            for (int64_t c = 0; c < LANES; c++) sum[c] += input[i * channels + channel + c];
        for (int64_t i = wide; i < rows; i++)
            for (int64_t c = 0; c < lanes; c++) sum[c] += input[i * channels + channel + c];
        for (int64_t c = 0; c < lanes; c++) sums[channel + c] = sum[c];
    }
}

/* Sums of squared distances from the means. */
static inline void sum_squares(const float *restrict input, const float *restrict means, float *restrict sums,
                               int64_t rows, int64_t channels) {
    for (int64_t channel = 0; channel < channels; channel += LANES) {
        int64_t lanes = lanes_from(channels, channel), wide = wide_rows(rows, channels, channel);
        float sum[LANES] = {0}, mean[LANES] = {0};
        for (int64_t c = 0; c < lanes; c++) mean[c] = means[channel + c];
        for (int64_t i = 0; i < wide; i++)
            for (int64_t c = 0; c < LANES; c++) {
                float distance = input[i * channels + channel + c] - mean[c];
                sum[c] = fused(distance, distance, sum[c]);
            }
        for (int64_t i = wide; i < rows; i++)
            for (int64_t c = 0; c < lanes; c++) {
                float distance = input[i * channels + channel + c] - mean[c];
                sum[c] = fused(distance, distance, sum[c]);
            }
        for (int64_t c = 0; c < lanes; c++) sums[channel + c] = sum[c];
    }
}

/* weight, bias, running_mean and running_variance may be null; work: space for 2 * BLOCK * channels values. */
WIDEST
void normalize_forward(const float *restrict input, const float *weight, const float *bias, float *running_mean,
                       float *running_variance, float *restrict output, float *restrict means, float *restrict scales,
                       float *restrict work, int64_t rows, int64_t channels, float momentum, double epsilon,
                       int rectify) {
    float *restrict factor = work, *restrict offset = work + BLOCK * channels;
    sum_rows(input, means, rows, channels);
    for (int64_t c = 0; c < channels; c++) means[c] = (float)((double)means[c] / (double)rows);
    sum_squares(input, means, scales, rows, channels);
    for (int64_t c = 0; c < channels; c++) {
        float variance = scales[c] / (float)rows, unbiased = scales[c] / (float)(rows - 1);
        if (running_mean) running_mean[c] = momentum * means[c] + (1.0f - momentum) * running_mean[c];
        if (running_variance) {
            double kept = (1.0f - momentum) * running_variance[c];
            running_variance[c] = (float)((double)momentum * unbiased + kept);
        }
        scales[c] = (float)(1.0 / sqrt((double)variance + epsilon));
    }
    for (int64_t i = 0; i < BLOCK; i++)
        for (int64_t c = 0; c < channels; c++) {
            float product = scales[c] * (weight ? weight[c] : 1.0f);
            factor[i * channels + c] = product;
            offset[i * channels + c] = fused(-means[c], product, bias ? bias[c] : 0.0f);
        }
    for (int64_t start = 0; start < rows * channels; start += BLOCK * channels) {
        int64_t left = rows * channels - start, size = left < BLOCK * channels ? left : BLOCK * channels;
        const float *restrict source = input + start;
        float *restrict target = output + start;
        for (int64_t i = 0; i < size; i++) {
            float value = fused(source[i], factor[i], offset[i]);
            target[i] = rectify ? rectified(value) : value;
        }
    }
}

/* weight and bias may be null; work: space for 8 * BLOCK * channels values. */
WIDEST
void normalize_backward(const float *restrict output_gradient, const float *restrict input, const float *weight,
                        const float *bias, const float *restrict means, const float *restrict scales,
                        float *restrict input_gradient, float *restrict weight_gradient,
                        float *restrict bias_gradient, float *restrict work, int64_t rows, int64_t channels,
                        int rectify) {
    for (int64_t channel = 0; channel < channels; channel += LANES) {
        int64_t lanes = lanes_from(channels, channel), wide = wide_rows(rows, channels, channel);
        float sum[LANES] = {0}, product[LANES] = {0}, mean[LANES] = {0}, factor[LANES] = {0}, offset[LANES] = {0};
        for (int64_t c = 0; c < lanes; c++) {
            mean[c] = means[channel + c];
            factor[c] = scales[channel + c] * (weight ? weight[channel + c] : 1.0f);
            offset[c] = fused(-mean[c], factor[c], bias ? bias[channel + c] : 0.0f);
        }
        for (int64_t i = 0; i < wide; i++)
            for (int64_t c = 0; c < LANES; c++) {
                int64_t at = i * channels + channel + c;
                /* The output is computed once more, which is faster than to read it. */
                float output = fused(input[at], factor[c], offset[c]);
                float gradient = passed(output_gradient[at], output, rectify);
                sum[c] += gradient;
                product[c] = fused(input[at] - mean[c], gradient, product[c]);
            }
        for (int64_t i = wide; i < rows; i++)
            for (int64_t c = 0; c < lanes; c++) {
                int64_t at = i * channels + channel + c;
                float output = fused(input[at], factor[c], offset[c]);
                float gradient = passed(output_gradient[at], output, rectify);
                sum[c] += gradient;
                product[c] = fused(input[at] - mean[c], gradient, product[c]);
            }
        for (int64_t c = 0; c < lanes; c++) {
            bias_gradient[channel + c] = sum[c];
            weight_gradient[channel + c] = product[c];
        }
    }
    int64_t block = BLOCK * channels;
    float *restrict mean = work, *restrict slope = work + block, *restrict shift = work + 2 * block;
    float *restrict scale = work + 3 * block, *restrict gain = work + 4 * block, *restrict left_over = work + 5 * block;
    float *restrict factor = work + 6 * block, *restrict offset = work + 7 * block;
    for (int64_t i = 0; i < BLOCK; i++)
        for (int64_t c = 0; c < channels; c++) {
            int64_t at = i * channels + c;
            mean[at] = means[c];
            slope[at] = weight_gradient[c] * scales[c] * scales[c] / (float)rows;
            shift[at] = bias_gradient[c] / (float)rows;
            scale[at] = scales[c];
            gain[at] = weight ? weight[c] : 1.0f;
            left_over[at] = (float)(c >= channels - channels % VECTOR);
            factor[at] = scales[c] * gain[at];
            offset[at] = fused(-means[c], factor[at], bias ? bias[c] : 0.0f);
        }
    for (int64_t start = 0; start < rows * channels; start += block) {
        int64_t left = rows * channels - start, size = left < block ? left : block;
        for (int64_t i = 0; i < size; i++) {
            int64_t at = start + i;
            float output = fused(input[at], factor[i], offset[i]);
            float gradient = passed(output_gradient[at], output, rectify);
            float distance = input[at] - mean[i], centred = gradient - shift[i];
            float rest = left_over[i] ? centred - distance * slope[i] : fused(-distance, slope[i], centred);
            input_gradient[at] = rest * scale[i] * gain[i];
        }
    }
    for (int64_t c = 0; c < channels; c++) weight_gradient[c] *= scales[c];
}
