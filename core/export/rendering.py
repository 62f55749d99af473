"""Lays out classes, constructor calls and forward methods as lines of source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .constructors import Build, Entries, Items, Literal, Node, Parameter
from .expressions import Writer, quoted
from .forward_pass import Call, Name, Trace
from .unify import Forward

_WIDTH = 100
_INDENT = "    "
# So many equal modules in a row are written as a loop.
_REPEATED = 3


@dataclass
class SourceClass:
    """A class of the text.

    Attributes:
        name: Unique in the text.
        summary: Docstring, empty for none.
        parameters: Of the constructor; all are whole numbers.
        attributes: Submodules.
        raw: Lines that make parameters and buffers.
        forward: Lines of the forward method, none where it never runs.
        base: How the whole of it is made by PyTorch, whose class it derives from then; None for ``nn.Module``.
    """

    name: str
    summary: str
    parameters: list[str]
    attributes: list[tuple[str, Node]]
    raw: list[str]
    forward: list[str] = field(default_factory=list)
    base: Build | None = None


def class_lines(each: SourceClass) -> Iterator[str]:
    """Yield the lines of a class."""
    yield f"class {each.name}({each.base.callee if each.base else 'nn.Module'}):"
    if each.summary:
        yield f'{_INDENT}"""{each.summary}"""'
        yield ""
    constructor = list(_constructor_lines(each)) if each.raw or each.attributes or not each.forward else []
    yield from constructor
    if each.forward:
        if constructor:
            yield ""
        yield from (_INDENT + line for line in each.forward)


def _constructor_lines(each: SourceClass) -> Iterator[str]:
    signature = "".join(f", {name}: int" for name in each.parameters)
    yield f"{_INDENT}def __init__(self{signature}) -> None:"
    yield from _base_call(each.base)
    for line in each.raw:
        yield _INDENT * 2 + line
    for attribute, node in each.attributes:
        yield from _assignment(f"self.{attribute} = ", node)


def _base_call(base: Build | None) -> Iterator[str]:
    call = "super().__init__("
    if base is None:
        yield f"{_INDENT * 2}{call})"
        return
    first, *others = _node_lines(base, _WIDTH - 2 * len(_INDENT), len(call))
    yield _INDENT * 2 + call + first.removeprefix(f"{base.callee}(")
    yield from (_INDENT * 2 + line for line in others)


def _assignment(target: str, node: Node) -> Iterator[str]:
    first, *others = _node_lines(node, _WIDTH - 2 * len(_INDENT), len(target))
    yield _INDENT * 2 + target + first
    yield from (_INDENT * 2 + line for line in others)


def _node_lines(node: Node, width: int, used: int = 0) -> list[str]:
    """Return a node as lines of ``width`` characters where it can be broken; ``used`` of the first are taken."""
    text = _node_text(node)
    parts = _parts(node)
    if len(text) + used <= width or parts is None:
        return [text]
    opening, inner, closing = parts
    lines = [opening]
    for prefix, item in inner:
        first, *others = _node_lines(item, width - len(_INDENT) - 1, len(prefix)) if isinstance(item, Node) else [item]
        block = [prefix + first, *others]
        lines += [_INDENT + line for line in block[:-1]] + [f"{_INDENT}{block[-1]},"]
    return [*lines, closing]


def _parts(node: Node) -> tuple[str, list[tuple[str, Any]], str] | None:
    """Return how a node begins, its parts with what stands before each, and how it ends."""
    match node:
        case Build(callee, (Items() | Entries() as inner,), ()):
            opening, parts, closing = _parts(inner) or ("", [], "")
            if callee == "nn.Sequential" and isinstance(inner, Items):
                return "nn.Sequential(", parts, ")"
            return f"{callee}({opening}", parts, f"{closing})"
        case Build(callee, (Build() as inner,), ()) if callee == "nn.Sequential":
            opening, parts, closing = _parts(inner) or ("", [], "")
            return f"{callee}({opening}", parts, f"{closing})"
        case Items():
            return "[", _item_parts(node), "]"
        case Entries():
            return "{", [(f"{quoted(name)}: ", inner) for name, inner in node.entries], "}"
    return None


def _item_parts(items: Items) -> list[tuple[str, Any]]:
    """Return the parts of a list, with a loop for modules that repeat."""
    parts: list[tuple[str, Any]] = []
    position = 0
    while position < len(items.items):
        node = items.items[position]
        end = position + 1
        while end < len(items.items) and items.items[end] == node:
            end += 1
        if end - position >= _REPEATED:
            parts.append(("", f"*({_node_text(node)} for _ in range({end - position}))"))
        else:
            parts += [("", node)] * (end - position)
        position = end
    return parts


def _node_text(node: Node) -> str:
    match node:
        case Literal():
            return repr(node.value)
        case Parameter():
            return node.name
        case Build() if node.callee.startswith("nn.Parameter("):
            return node.callee
        case Build():
            parts = _parts(node)
            if parts is not None:
                opening, inner, closing = parts
                return opening + _joined(inner) + closing
            keywords = [f"{name}={_node_text(inner)}" for name, inner in node.keywords]
            return f"{node.callee}({', '.join([*map(_node_text, node.positional), *keywords])})"
    opening, inner, closing = _parts(node) or ("", [], "")
    return opening + _joined(inner) + closing


def _joined(parts: Sequence[tuple[str, Any]]) -> str:
    return ", ".join(prefix + (item if isinstance(item, str) else _node_text(item)) for prefix, item in parts)


def forward_lines(forward: Forward, batch_dimension: int) -> Iterator[str]:
    """Yield the lines of a forward method."""
    trace = forward.trace
    inputs = "".join(f", {name}: {kind}" for name, kind in trace.inputs)
    yield f"def forward(self{inputs}) -> {_result_type(trace.result)}:"
    if forward.evaluation is None:
        yield from _body(trace, _INDENT, batch_dimension)
        return
    yield f"{_INDENT}if self.training:"
    yield from _body(trace, _INDENT * 2, batch_dimension)
    yield from _body(forward.evaluation, _INDENT, batch_dimension)


def _result_type(result: Any) -> str:
    if isinstance(result, tuple):
        return f"tuple[{', '.join(map(_result_type, result))}]"
    return "list[Tensor]" if isinstance(result, list) else "Tensor"


def _body(trace: Trace, indent: str, batch_dimension: int) -> Iterator[str]:
    first, kind = trace.inputs[0] if trace.inputs else ("self", "Tensor")
    tensor = first if kind == "Tensor" else f"{first}[0]"
    writer = Writer(tensor, f"{tensor}.shape[{batch_dimension}]")
    for call in trace.calls:
        yield f"{indent}{_targets(call)}{writer.call(call)}"
    yield f"{indent}return {writer.value(trace.result)}"


def _targets(call: Call) -> str:
    """Return what the result of a call is assigned to, and the sign of equality."""
    names = call.outputs
    if names is None:
        return ""
    if isinstance(names, Name):
        return f"{names.text} = "
    return ", ".join(map(_inner_targets, names)) + (", = " if len(names) == 1 else " = ")


def _inner_targets(names: Any) -> str:
    return names.text if isinstance(names, Name) else f"({', '.join(map(_inner_targets, names))})"
