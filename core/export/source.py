"""A network as the text of a Python module that needs PyTorch alone.

Each class of the network becomes one class, with the same names of parameters; instances that differ in numbers alone
share one, whose constructor takes them. Its forward method is what the module did when it was followed (:mod:`.trace`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from .constructors import Build, Entries, Items, Literal, Node, Parameter, parameter_text, plain_module
from .forward_pass import UnsupportedNetworkError
from .module_kinds import is_container, is_plain
from .rendering import SourceClass, class_lines, forward_lines
from .unify import Forward

ROOT_CLASS = "Network"

# Names that the text has from elsewhere.
_TAKEN = {"torch", "nn", "functional", "Tensor", "OrderedDict"}


@dataclass(frozen=True)
class _Instance:
    """A module of a class of its own."""

    path: str
    attributes: tuple[tuple[str, Node], ...]
    raw: tuple[str, ...]
    forward: tuple[str, ...]

    @property
    def literals(self) -> list[Literal]:
        return [literal for _, node in self.attributes for literal in _literals(node)]


class SourceWriter:
    """Writes the classes of a network.

    Args:
        network: The network.
        forwards: The forward pass of each module that is of a class of its own and runs, by path.
        batch_dimension: Of the tensors that modules take.
    """

    def __init__(self, network: nn.Module, forwards: Mapping[str, Forward], batch_dimension: int = 0) -> None:
        self._network = network
        self._forwards = forwards
        self._batch_dimension = batch_dimension
        self._nodes: dict[str, Node] = {}
        self._classes: list[SourceClass] = []

    def classes(self) -> str:
        """Return the text of all classes, the network's last, as ``Network``.

        Raises:
            UnsupportedNetworkError: Something of it has no text.
        """
        _check_shared(self._network)
        by_height: dict[int, list[tuple[str, nn.Module]]] = {}
        for path, module in self._network.named_modules():
            if not is_plain(module) and not is_container(module):
                by_height.setdefault(_height(module), []).append((path, module))
        for height in sorted(by_height):
            self._write_level([self._instance(path, module) for path, module in by_height[height]])
        if is_plain(self._network) or is_container(self._network):
            self._add_root()
        return "\n\n\n".join("\n".join(class_lines(each)) for each in self._classes)

    def _add_root(self) -> None:
        """Add the class of a network that is one of PyTorch's own modules, which it derives from."""
        base = self._node(self._network, "")
        assert isinstance(base, Build)
        summary = "" if type(self._network).__module__.startswith("torch.nn.") else _summary(self._network)
        self._classes.append(SourceClass(ROOT_CLASS, summary, [], [], [], base=base))

    def _write_level(self, instances: Sequence[_Instance]) -> None:
        groups: dict[Any, list[_Instance]] = {}
        for instance in instances:
            kind = type(self._network.get_submodule(instance.path)).__name__ if instance.path else ROOT_CLASS
            skeleton = tuple((name, _skeleton(node)) for name, node in instance.attributes)
            groups.setdefault((kind, skeleton, instance.raw, instance.forward), []).append(instance)
        for (kind, *_), members in groups.items():
            self._add_class(kind, members)

    def _add_class(self, kind: str, members: Sequence[_Instance]) -> None:
        taken = _TAKEN | {each.name for each in self._classes}
        name = next(
            name for name in _numbered(kind) if name not in taken and (name != ROOT_CLASS or not members[0].path)
        )
        names = _parameter_names([instance.literals for instance in members])
        columns = list(zip(*(_numbers(instance.literals) for instance in members), strict=True))
        of_column = {column: names[column] for column in columns if column in names}
        replaced = iter([of_column.get(column) for column in columns])
        attributes = [(attribute, _with_parameters(node, replaced)) for attribute, node in members[0].attributes]
        first = members[0]
        summary = _summary(self._network.get_submodule(first.path))
        self._classes.append(
            SourceClass(name, summary, list(names.values()), attributes, list(first.raw), list(first.forward))
        )
        for number, instance in enumerate(members):
            values = tuple(Literal(parameter, column[number]) for column, parameter in names.items())
            self._nodes[instance.path] = Build(name, values)

    def _instance(self, path: str, module: nn.Module) -> _Instance:
        raw = [f"self.{name} = {_parameter(value)}" for name, value in _own_parameters(module)]
        for name, buffer in module.named_buffers(recurse=False):
            kept = "" if name not in module._non_persistent_buffers_set else ", persistent=False"
            raw.append(f'self.register_buffer("{name}", {parameter_text(buffer)}{kept})')
        attributes = tuple((name, self._node(child, _join(path, name))) for name, child in module.named_children())
        for name, _ in attributes:
            if not name.isidentifier():
                raise UnsupportedNetworkError(f"its module '{_join(path, name)}' has a name that no attribute can have")
        forward = self._forwards.get(path)
        lines = tuple(forward_lines(forward, self._batch_dimension)) if forward is not None else ()
        return _Instance(path, attributes, tuple(raw), lines)

    def _node(self, module: nn.Module, path: str) -> Node:
        if is_plain(module):
            return plain_module(module)
        if isinstance(module, nn.ParameterDict | nn.ParameterList):
            entries = tuple((name, Build(_parameter(p))) for name, p in _own_parameters(module))
            of_list = isinstance(module, nn.ParameterList)
            inner: Node = Items(tuple(node for _, node in entries)) if of_list else Entries(entries)
            return Build(f"nn.{'ParameterList' if of_list else 'ParameterDict'}", (inner,))
        if not is_container(module):
            return self._nodes[path]
        children = tuple((name, self._node(child, _join(path, name))) for name, child in module.named_children())
        if isinstance(module, nn.ModuleDict):
            return Build("nn.ModuleDict", (Entries(children),))
        if [name for name, _ in children] != [str(number) for number in range(len(children))]:
            return Build("nn.Sequential", (Build("OrderedDict", (Entries(children),)),))
        items = Items(tuple(node for _, node in children))
        return (
            Build("nn.ModuleList", (items,)) if isinstance(module, nn.ModuleList) else Build("nn.Sequential", (items,))
        )


def _check_shared(network: nn.Module) -> None:
    for kind, named in (
        ("module", network.named_modules(remove_duplicate=False)),
        ("parameter", network.named_parameters(remove_duplicate=False)),
    ):
        seen: dict[int, str] = {}
        for path, thing in named:
            first = seen.setdefault(id(thing), path)
            if first != path:
                raise UnsupportedNetworkError(f"the {kind} '{path}' is '{first}' as well, and they would become two")


def _parameter(parameter: nn.Parameter) -> str:
    fixed = "" if parameter.requires_grad else ", requires_grad=False"
    return f"nn.Parameter({parameter_text(parameter)}{fixed})"


def _own_parameters(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return list(module.named_parameters(recurse=False))


def _height(module: nn.Module) -> int:
    below = max((_height(child) for child in module.children()), default=0)
    return below if is_plain(module) or is_container(module) else below + 1


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}{number}"
        number += 1


def _literals(node: Node) -> Iterator[Literal]:
    """Yield the literals of a node, in the order of :func:`_with_parameters`."""
    match node:
        case Literal():
            yield node
        case Build():
            for inner in (*node.positional, *(value for _, value in node.keywords)):
                yield from _literals(inner)
        case Items():
            for inner in node.items:
                yield from _literals(inner)
        case Entries():
            for _, inner in node.entries:
                yield from _literals(inner)


def _with_parameters(node: Node, replaced: Iterator[str | None]) -> Node:
    """Return a node whose literals are replaced by parameters, where there is one for them."""
    match node:
        case Literal():
            name = next(replaced)
            return node if name is None else Parameter(name)
        case Build():
            positional = tuple(_with_parameters(inner, replaced) for inner in node.positional)
            keywords = tuple((name, _with_parameters(inner, replaced)) for name, inner in node.keywords)
            return Build(node.callee, positional, keywords)
        case Items():
            return Items(tuple(_with_parameters(inner, replaced) for inner in node.items))
        case Entries():
            return Entries(tuple((name, _with_parameters(inner, replaced)) for name, inner in node.entries))
    return node


def _skeleton(node: Node) -> Any:
    """Return what two nodes that differ in numbers alone have in common."""
    match node:
        case Literal():
            return node.role if _is_number(node.value) else (node.role, repr(node.value))
        case Build():
            keywords = tuple((name, _skeleton(inner)) for name, inner in node.keywords)
            return node.callee, tuple(map(_skeleton, node.positional)), keywords
        case Items():
            return tuple(map(_skeleton, node.items))
        case Entries():
            return tuple((name, _skeleton(inner)) for name, inner in node.entries)
    return node


def _is_number(value: Any) -> bool:
    return type(value) is int


def _numbers(literals: Sequence[Literal]) -> list[Any]:
    return [literal.value for literal in literals]


def _parameter_names(members: Sequence[list[Literal]]) -> dict[tuple[Any, ...], str]:
    """Return a name for each combination of numbers that instances of a class have in the same places."""
    roles: dict[tuple[Any, ...], list[str]] = {}
    for places in zip(*members, strict=True):
        values = tuple(literal.value for literal in places)
        if len(set(map(repr, values))) > 1:
            roles.setdefault(values, []).append(places[0].role)
    names: dict[tuple[Any, ...], str] = {}
    for values, found in roles.items():
        names[values] = next(name for name in _numbered(_common_role(found)) if name not in names.values())
    return names


def _common_role(roles: Sequence[str]) -> str:
    kinds = {role.rstrip("0123456789") for role in roles} - {"groups"}
    if not kinds:
        return "groups"
    if "in_channels" in kinds and kinds & {"out_channels", "num_features", "channels"}:
        return "channels"
    return "out_channels" if "num_features" in kinds else sorted(kinds)[0]


def _summary(module: nn.Module) -> str:
    """Return the first line of the docstring of a module's class."""
    line = (vars(type(module)).get("__doc__") or "").strip().partition("\n")[0]
    return line if line.isprintable() and not set(line) & set('\\"') else ""
