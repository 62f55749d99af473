"""The plan of a results file: names, seed, and what a report is to show."""

from __future__ import annotations

import h5py

from ...hdf5.stored import StoredGroup
from ...hdf5.writing import create_group, write_attributes
from ...plan import PlanHeader
from .encoding import Encoding, as_json, read_json_seeds, read_json_texts, read_text, read_whole_number

ENCODING = Encoding("nasbench-plan", 2)
NAME = "plan"


def write_plan(file: h5py.Group, plan: PlanHeader, aggregates: tuple[str, ...]) -> None:
    """Write the plan and the labels of the aggregates to report."""
    group = create_group(file, NAME)
    ENCODING.mark(group)
    write_attributes(
        group,
        space=plan.space,
        dataset=plan.dataset,
        seed=plan.seed,
        sampling=plan.sampling,
        space_version=plan.space_version,
        dataset_version=plan.dataset_version,
        further_seeds=as_json(plan.further_seeds),
        aggregates=as_json(aggregates),
    )


def read_plan(file: StoredGroup) -> tuple[PlanHeader, tuple[str, ...]]:
    """Return what :func:`write_plan` wrote."""
    group = file.group(NAME)
    ENCODING.check(group)
    attrs = group.attrs
    plan = PlanHeader(
        space=read_text(attrs, "space"),
        dataset=read_text(attrs, "dataset"),
        seed=read_whole_number(attrs, "seed"),
        sampling=read_text(attrs, "sampling"),
        space_version=read_text(attrs, "space_version"),
        dataset_version=read_text(attrs, "dataset_version"),
        further_seeds=read_json_seeds(attrs, "further_seeds"),
    )
    return plan, read_json_texts(attrs, "aggregates")
