import dataclasses

import numpy as np
import torch
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.plugins.evaluators.trained import EVALUATORS
from nasbench_toolkit.plugins.evaluators.trained.augmentation import flip_and_crop, normalize
from nasbench_toolkit.plugins.evaluators.trained.rotation import Rotation, rotate
from nasbench_toolkit.plugins.search_spaces import NASBENCH201


def test_rotate_by_hand():
    # Counter-clockwise, the right column becomes the top row: [[1, 2], [3, 4]] -> [[2, 4], [1, 3]].
    turns, quarters = rotate(torch.tensor([[[[1, 2], [3, 4]]]]))
    assert turns[:, 0].tolist() == [[[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]]]
    assert quarters.tolist() == [0, 1, 2, 3]


def test_rotate_many_equals_numpy():
    images = torch.rand(3, 2, 5, 5)
    turns, quarters = rotate(images)
    for index, (turned, quarter) in enumerate(zip(turns, quarters, strict=True)):
        np.testing.assert_array_equal(turned, np.rot90(images[index // 4].numpy(), int(quarter), (1, 2)))


def test_rotation_comes_after_augmentation_and_ignores_labels(stripes):
    images, generators = torch.rand(4, 3, 16, 16), [torch.Generator().manual_seed(0) for _ in range(2)]
    inputs, _ = Rotation(stripes).training_batch(images, torch.full((4,), -1), generators[0])
    augmented = flip_and_crop(normalize(images, stripes), generators[1], mirror=True, padding=2)
    assert torch.equal(inputs[::4], augmented)
    tested, targets = Rotation(stripes).test_batch(images, torch.full((4,), -1), generators[0])
    assert torch.equal(tested[::4], normalize(images, stripes))
    assert len(targets) == 16


def test_rot_counts_four_turns_of_each_image(score, grey_stripes):
    for dataset in (None, grey_stripes):
        given = {} if dataset is None else {"dataset": dataset}
        record = score("rot", epochs=1, test_images=2, **given)
        assert record.status is Status.OK, record.message
        assert (record.score * 8 / 100).is_integer()


def test_rot_of_not_square_images_is_refused(stripes):
    rot = next(info for info in EVALUATORS if info.name == "rot")
    assert rot.reason_unsupported(NASBENCH201, stripes) is None
    wide = dataclasses.replace(stripes, input_shape=(3, 16, 20))
    assert "16x20" in rot.reason_unsupported(NASBENCH201, wide)
