import dataclasses

import pytest
from nasbench_toolkit.core import descriptions
from nasbench_toolkit.core.descriptions import DatasetInfo
from nasbench_toolkit.core.errors import PluginError
from nasbench_toolkit.core.loading.fields import _EXPECTATIONS

DESCRIPTIONS = [
    kind for kind in vars(descriptions).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)
]


@pytest.mark.parametrize("shape", [[3, 8, 8], (3, 8.0, 8), "388"], ids=str)
def test_shape_of_inputs_is_a_tuple_of_whole_numbers(shape) -> None:
    info = DatasetInfo(
        name="mine", summary="Mine.", source="the tests", factory="nasbench_toolkit:Dataset", input_shape=shape
    )
    with pytest.raises(PluginError, match="has as 'input_shape' .*: give a tuple of whole numbers"):
        info.check()


def test_every_expectation_is_of_a_declared_type() -> None:
    declared = {str(field.type) for kind in DESCRIPTIONS for field in dataclasses.fields(kind)}
    assert _EXPECTATIONS.keys() <= declared
