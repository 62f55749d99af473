/* Batch normalisation by the statistics of the batch, with or without a ReLU behind it, forward and backward.

Arrays are float32 of the shape (rows, channels), a row for each pixel of each image. Every sum runs over the rows in
their order, and products are fused with additions where PyTorch's vectors fuse them: results are equal to the last bit
to what PyTorch computes with one thread. */

#include <math.h>
#include <stdint.h>

#include "widest.h"

/* Channels that are kept in registers, rows after which any number of channels fills whole vectors, values that stay in
the cache, and channels in a vector of PyTorch's, which does not fuse all operations for what is left over. */
enum { LANES = 16, BLOCK = 16, CACHED = 8192, VECTOR = 8 };

/* What the backward pass knows of a channel, each BLOCK times below each other. */
enum { MEAN, SLOPE, SHIFT, SCALE, GAIN, FACTOR, OFFSET, LEFT_OVER, KNOWN };

PART float fused(float factor, float other, float sum) { return __builtin_fmaf(factor, other, sum); }

PART float rectified(float value) { return value < 0.0f ? 0.0f : value; }

PART float passed(float gradient, float output, int rectify) {
    return rectify && output <= 0.0f ? 0.0f : gradient;
}

PART int64_t least(int64_t one, int64_t other) { return one < other ? one : other; }

/* How many rows can be read LANES wide from a channel on without reading behind the array. */
PART int64_t wide_rows(int64_t rows, int64_t channels, int64_t channel) {
    int64_t readable = rows * channels - channel - LANES;
    return least(rows, readable < 0 ? 0 : readable / channels + 1);
}

/* Sums of all channels. */
PART void sum_rows(const float *restrict input, float *restrict sums, int64_t rows, int64_t channels) {
    for (int64_t channel = 0; channel < channels; channel += LANES) {
        int64_t lanes = least(LANES, channels - channel), wide = wide_rows(rows, channels, channel);
        float sum[LANES] = {0};
        for (int64_t i = 0; i < wide; i++)
            for (int64_t c = 0; c < LANES; c++) sum[c] += input[i * channels + channel + c];
        for (int64_t i = wide; i < rows; i++)
            for (int64_t c = 0; c < lanes; c++) sum[c] += input[i * channels + channel + c];
        for (int64_t c = 0; c < lanes; c++) sums[channel + c] = sum[c];
    }
}

/* Sums of squared distances from the means. */
PART void sum_squares(const float *restrict input, const float *restrict means, float *restrict sums,
                               int64_t rows, int64_t channels) {
    for (int64_t channel = 0; channel < channels; channel += LANES) {
        int64_t lanes = least(LANES, channels - channel), wide = wide_rows(rows, channels, channel);
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

/* Values after which the same channels come again, so many that they are whole vectors. */
PART int64_t width_of(int64_t channels) {
    if (LANES % channels == 0) return LANES;
    return channels % LANES == 0 ? channels : BLOCK * channels;
}

/* Gradient of an input from that of its output. */
PART float spread(float input, float output_gradient, float mean, float slope, float shift, float scale, float gain,
                  float factor, float offset, float left_over, int rectify) {
    float gradient = passed(output_gradient, fused(input, factor, offset), rectify);
    float distance = input - mean, centred = gradient - shift;
    float rest = left_over != 0.0f ? centred - distance * slope : fused(-distance, slope, centred);
    return rest * scale * gain;
}

/* Gradients of LANES values in each of some rows of a width, all of the same channels, which stay in registers. */
PART void spread_lanes(const float *restrict output_gradient, const float *restrict input,
                       float *restrict input_gradient, const float *restrict known, int64_t block, int64_t rows,
                       int64_t width, int rectify) {
    float mean[LANES], slope[LANES], shift[LANES], scale[LANES], gain[LANES];
    float factor[LANES], offset[LANES], left_over[LANES];
    for (int64_t c = 0; c < LANES; c++) {
        mean[c] = known[MEAN * block + c], slope[c] = known[SLOPE * block + c], shift[c] = known[SHIFT * block + c];
        scale[c] = known[SCALE * block + c], gain[c] = known[GAIN * block + c];
        factor[c] = known[FACTOR * block + c], offset[c] = known[OFFSET * block + c];
        left_over[c] = known[LEFT_OVER * block + c];
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < LANES; c++) {
            int64_t at = i * width + c;
            input_gradient[at] = spread(input[at], output_gradient[at], mean[c], slope[c], shift[c], scale[c], gain[c],
                                        factor[c], offset[c], left_over[c], rectify);
        }
}

/* weight and bias may be null; work: space for KNOWN * BLOCK * channels values. */
WIDEST
void normalize_backward(const float *restrict output_gradient, const float *restrict input, const float *weight,
                        const float *bias, const float *restrict means, const float *restrict scales,
                        float *restrict input_gradient, float *restrict weight_gradient,
                        float *restrict bias_gradient, float *restrict work, int64_t rows, int64_t channels,
                        int rectify) {
    for (int64_t channel = 0; channel < channels; channel += LANES) {
        int64_t lanes = least(LANES, channels - channel), wide = wide_rows(rows, channels, channel);
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
    int64_t block = BLOCK * channels, size = rows * channels;
    for (int64_t at = 0; at < block; at++) {
        int64_t c = at % channels;
        float gain = weight ? weight[c] : 1.0f, factor = scales[c] * gain;
        work[MEAN * block + at] = means[c], work[SCALE * block + at] = scales[c], work[GAIN * block + at] = gain;
        work[SLOPE * block + at] = weight_gradient[c] * scales[c] * scales[c] / (float)rows;
        work[SHIFT * block + at] = bias_gradient[c] / (float)rows;
        work[FACTOR * block + at] = factor;
        work[OFFSET * block + at] = fused(-means[c], factor, bias ? bias[c] : 0.0f);
        work[LEFT_OVER * block + at] = (float)(c >= channels - channels % VECTOR);
    }
    int64_t width = width_of(channels), wide = size / width, step = CACHED / width + 1;
    for (int64_t first = 0; first < wide; first += step)
        for (int64_t lane = 0; lane < width; lane += LANES) {
            int64_t at = first * width + lane;
            spread_lanes(output_gradient + at, input + at, input_gradient + at, work + lane, block,
                         least(step, wide - first), width, rectify);
        }
    for (int64_t at = wide * width; at < size; at++) {
        const float *known = work + at - wide * width;
        input_gradient[at] =
            spread(input[at], output_gradient[at], known[MEAN * block], known[SLOPE * block], known[SHIFT * block],
                   known[SCALE * block], known[GAIN * block], known[FACTOR * block], known[OFFSET * block],
                   known[LEFT_OVER * block], rectify);
    }
    for (int64_t c = 0; c < channels; c++) weight_gradient[c] *= scales[c];
}
