"""Proxies made of the gradients of an untrained network for each image of a batch."""

from __future__ import annotations

from .....core.descriptions import EvaluatorInfo

EVALUATORS: tuple[EvaluatorInfo, ...] = ()
