"""GenNAS evaluators (Li et al.: Generic Neural Architecture Search via Regression, NeurIPS 2021).

Original code: github.com/leeyeehoo/GenNAS. Score: the architecture without its classifier is trained for 100
steps on one batch of 16 images towards fixed synthetic tensors at three depths; the score is the sum over
stages i of w_i * mean((head_i(features_i) - target_i)^2) after the last step, w = (0.25, 0.5, 1). Lower is
better.

Where paper and code differ, a setting chooses (see ``settings``). Deviations from the code, all for scores
that depend on the job alone:

- Batch, target, initial weights and noise have their own generators, seeded from the job and the run: the
  code seeds once for a process, so a score there depends on what was scored before. Weights, heads included,
  are the same for every GenNAS evaluator and setting.
- A loss that is no longer finite ends the job as diverged: the code replaces NaN by a random large number.
- Images come from the training set that the run names, resized to 32x32 by nearest neighbour where they are
  smaller, as the authors do for ImageNet16-120.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ....core.context import EvaluationContext
from ....core.domain import Evaluation
from ....core.interfaces import Evaluator
from ..compiled import compile_layers
from ..memory_layout import order_channels_last
from .depthwise import rearrange_depthwise
from .merged_branches import merge_branches
from .regression_network import (
    RegressionNetwork,
    initialize,
    parameter_groups,
    probe_stages,
    regression_parameters,
)
from .settings import Frequencies, GennasSettings
from .signals import stage_target
from .task import Task
from .training import RegressionTraining

_RESOLUTION = 32
"""Height and width of the images (paper, appendix A.2)."""


class Gennas(Evaluator[GennasSettings]):
    """Scores an architecture by the loss left after a short regression; the settings know the task."""

    def _evaluate(self, context: EvaluationContext) -> Evaluation:
        task, options = self.settings.task_definition(), self.settings.resolve()
        images = context.batch(options.batch_size, resolution=_RESOLUTION, augment=True).inputs
        targets = context.shared(
            "gennas target", lambda generator: draw_targets(task, images, generator, options.frequencies)
        )
        # Networks may be built for one size only.
        shape = (context.dataset.input_shape[0], _RESOLUTION, _RESOLUTION)
        backbone = context.network(options.network, input_shape=shape)
        with context.initial_weights("gennas heads"):
            network = RegressionNetwork(
                backbone,
                feature_channels=probe_stages(backbone, images),
                target_channels=[stage.channels for stage in task.stages],
                stages=options.stages,
                head=options.head,
            ).to(context.device)
            found = regression_parameters(network, tuple(images.shape[1:]))
            initialize(network, found, options.weight_init, options.bias_init)
        groups = merge_branches(network, parameter_groups(network.named_parameters(), found, options.weight_decay))
        if order_channels_last(network, images):
            images = images.contiguous(memory_format=torch.channels_last)
            targets = [target.contiguous(memory_format=torch.channels_last) for target in targets]
            rearrange_depthwise(network)
            compile_layers(network)
        training = RegressionTraining(network, groups, images, targets, task.noise, options, context.generator("noise"))
        return training.run()


def draw_targets(task: Task, images: Tensor, generator: torch.Generator, frequencies: Frequencies) -> list[Tensor]:
    """Draw the targets of all stages, on the device of ``images``.

    Args:
        task: Describes them.
        images: The run's images, shape ``(batch, colours, height, width)``.
        generator: CPU generator; the same seed gives the same targets.
        frequencies: How named frequency bands are filled.

    Returns:
        One tensor ``(batch, channels, 8, 8)`` for each stage.
    """
    on_cpu = images.cpu()
    return [stage_target(stage, on_cpu, generator, frequencies).to(images.device).contiguous() for stage in task.stages]
