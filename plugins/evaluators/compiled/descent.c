/* Stochastic gradient descent with momentum for many tensors, most of them small, in one call. */

#include <stdint.h>

#include "widest.h"

PART float fused(float factor, float other, float sum) { return __builtin_fmaf(factor, other, sum); }

/* velocities may be null: without momentum the gradients are what is followed. */
WIDEST
void descend(float *const *parameters, const float *const *gradients, float *const *velocities, const int64_t *sizes,
             int64_t count, float rate, float momentum, float decay) {
    for (int64_t tensor = 0; tensor < count; tensor++) {
        float *restrict parameter = parameters[tensor];
        const float *restrict gradient = gradients[tensor];
        int64_t size = sizes[tensor];
        if (velocities) {
            float *restrict velocity = velocities[tensor];
            for (int64_t i = 0; i < size; i++) {
                float decayed = decay != 0.0f ? fused(decay, parameter[i], gradient[i]) : gradient[i];
                velocity[i] = velocity[i] * momentum + decayed;
                parameter[i] = fused(-rate, velocity[i], parameter[i]);
            }
        } else {
            for (int64_t i = 0; i < size; i++) {
                float decayed = decay != 0.0f ? fused(decay, parameter[i], gradient[i]) : gradient[i];
                parameter[i] = fused(-rate, decayed, parameter[i]);
            }
        }
    }
}
