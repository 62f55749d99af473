"""The text of an architecture, such as `w36d20/normal=sep3~0+sep3~1,skip~0+dil3~2/reduce=max3~0+skip~1,max3~1+skip~2`.

Width and depth, then the nodes of the normal cell and of the reduction cell. A node is the sum of two edges, and an
edge is an operation and, behind `~`, what it works on: 0 is the output of the cell before the previous one, 1 that of
the previous cell, 2 the first node, and so on. Spaces beside separators make no difference. Operations may also have
the names of papers and records: `sep_conv_3x3` is `sep3`. A record's `net`, as JSON, is read too. Where width and depth
follow from the cells, the text begins with `normal=`.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from ....core.errors import InvalidArchitectureError, closest_matches
from .definition import CellSpaceDefinition
from .genotype import NUM_INPUTS, Architecture, Cell, Edge, Node
from .records import flat_edges, net_fields

_FORM = "normal=OPERATION~SOURCE+OPERATION~SOURCE,.../reduce=..."
_SIZE = "w16d8/"
_ARCHITECTURE = re.compile(
    r"(w(?P<width>[0-9]{1,9})d(?P<depth>[0-9]{1,9})/)?normal=(?P<normal>[^/]*)/reduce=(?P<reduce>[^/]*)"
)
_SEPARATOR = re.compile(r" ?([/=,+~]) ?")
_CELL_NAMES = {"normal": "normal cell", "reduce": "reduction cell"}
_CONCATENATED = {"all nodes": "all their nodes", "loose ends": "the nodes that no other node takes"}


def parse_architecture(text: str, definition: CellSpaceDefinition) -> Architecture:
    """Read an architecture.

    Raises:
        InvalidArchitectureError: The text has another form, or names what this space does not have.
    """
    if text.lstrip().startswith("{"):
        return _parse_net(text, definition)
    match = _ARCHITECTURE.fullmatch(_SEPARATOR.sub(r"\1", " ".join(text.split())))
    if match is None or (definition.states_size and match["width"] is None):
        expected = _SIZE * definition.states_size + _FORM
        raise InvalidArchitectureError(f"'{text:.80}' is no architecture of this space: expected '{expected}'")
    normal, reduction = (_parse_cell(match[key], name, definition) for key, name in _CELL_NAMES.items())
    size = None if match["width"] is None else (int(match["width"]), int(match["depth"]))
    return definition.architecture(size, normal, reduction)


def format_architecture(architecture: Architecture, definition: CellSpaceDefinition) -> str:
    """Write an architecture."""
    size = f"w{architecture.width}d{architecture.depth}/" if definition.states_size else ""
    return size + format_cells(architecture.normal, architecture.reduction)


def format_cells(normal: Cell, reduction: Cell) -> str:
    """Write two cells."""
    return f"normal={_format_cell(normal)}/reduce={_format_cell(reduction)}"


def _format_cell(cell: Cell) -> str:
    return ",".join("+".join(f"{edge.operation}~{edge.source}" for edge in node) for node in cell)


def _parse_cell(text: str, name: str, definition: CellSpaceDefinition) -> Cell:
    nodes = text.split(",") if text else []
    _check_nodes(len(nodes), name, definition)
    return tuple(_parse_node(node, index, name, definition) for index, node in enumerate(nodes, NUM_INPUTS))


def _check_nodes(count: int, name: str, definition: CellSpaceDefinition) -> None:
    if count != definition.num_nodes:
        raise InvalidArchitectureError(f"the {name} has {count} nodes, expected {definition.num_nodes}")


def _parse_node(text: str, index: int, name: str, definition: CellSpaceDefinition) -> Node:
    edges = text.split("+")
    if len(edges) != 2:
        raise InvalidArchitectureError(
            f"node {index} of the {name} is '{text:.60}', expected the sum of two edges, such as 'sep3~0+skip~1'"
        )
    first, second = (_parse_edge(edge, index, name, definition) for edge in edges)
    return first, second


def _parse_edge(text: str, index: int, name: str, definition: CellSpaceDefinition) -> Edge:
    operation, _, source = text.partition("~")
    where = f"node {index} of the {name}"
    if not re.fullmatch(r"[0-9]{1,4}", source):
        raise InvalidArchitectureError(
            f"{where} has the edge '{text:.60}' without a source, expected an operation and a number, such as 'sep3~0'"
        )
    return _edge(operation, int(source), index, where, definition)


def _edge(operation: str, source: int, index: int, where: str, definition: CellSpaceDefinition) -> Edge:
    """Check an edge into node ``index``, whose operation may have its short or its long name."""
    names = {known.release_name: known.name for known in definition.operations}
    names |= {name: name for name in definition.by_name}
    if operation not in names:
        _refuse_operation(operation, where, definition)
    if not 0 <= source < index:
        raise InvalidArchitectureError(
            f"{where} works on {source!s:.40}, expected an input or earlier node, 0 to {index - 1}"
        )
    return Edge(source, names[operation])


def _refuse_operation(operation: str, where: str, definition: CellSpaceDefinition) -> NoReturn:
    known = [*definition.by_name, *(known.release_name for known in definition.operations)]
    raise InvalidArchitectureError(
        f"{where} has the unknown operation '{operation:.40}'. {closest_matches(operation[:40], known)}This space has "
        f"{', '.join(definition.by_name)}"
    )


def _parse_net(text: str, definition: CellSpaceDefinition) -> Architecture:
    """Read the `net` of a released record."""
    try:
        net = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidArchitectureError(f"'{text:.80}' is not JSON ({error})") from error
    width, depth, genotype = net_fields(net)
    normal, reduction = (_cell_of_record(genotype, key, definition) for key in _CELL_NAMES)
    return definition.architecture((width, depth), normal, reduction)


def _cell_of_record(genotype: dict[str, object], key: str, definition: CellSpaceDefinition) -> Cell:
    flat, concat = flat_edges(genotype, key)
    name = _CELL_NAMES[key]
    if len(flat) % 2:
        raise InvalidArchitectureError(f"'net.genotype.{key}' has {len(flat)} operations, expected two for each node")
    _check_nodes(len(flat) // 2, name, definition)
    edges = [
        _edge(operation, source, NUM_INPUTS + place // 2, f"node {NUM_INPUTS + place // 2} of the {name}", definition)
        for place, (operation, source) in enumerate(flat)
    ]
    cell = tuple(zip(edges[::2], edges[1::2], strict=True))
    expected = definition.outputs(cell)
    if tuple(sorted(concat)) != expected:
        raise InvalidArchitectureError(
            f"'net.genotype.{key}_concat' is {concat!s:.60}, expected {list(expected)}: cells of this space "
            f"concatenate {_CONCATENATED[definition.output]}"
        )
    return cell
