"""What the order of a NAS-Bench-101 cell's vertices means for its network.

The vertices that feed the output share its channels, and the first ones take one more where that does not come out
even. So another order of the vertices gives the same network with channels in another order where it comes out even,
and a network of another size where not. The benchmark trained the canonical spelling.
"""

from itertools import permutations

import torch
from nasbench_toolkit.core.testing.network_identity import other_spellings
from nasbench_toolkit.plugins.datasets import MNIST
from nasbench_toolkit.plugins.search_spaces import NASBENCH101
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import Cell, parse_cell, prune
from nasbench_toolkit.plugins.search_spaces.nasbench101.network import CellModule
from nasbench_toolkit.plugins.search_spaces.nasbench101.parameters import count_trainable_parameters

# The output is fed by a 3x3 convolution, a pooling and a 1x1 convolution, which takes one channel less than the others.
UNEVEN = "1110001011:conv3x3-bn-relu,maxpool3x3,conv1x1-bn-relu"
UNEVEN_OTHER_ORDER = "1110001011:conv1x1-bn-relu,maxpool3x3,conv3x3-bn-relu"

# Not canonical; a projection of the input is added to what the vertices give the output.
FED_BY_FOUR = "100101100110001110011:conv3x3-bn-relu,maxpool3x3,maxpool3x3,conv1x1-bn-relu,conv3x3-bn-relu"
FED_BY_TWO_AND_INPUT = "111111100100111101000:conv1x1-bn-relu,conv1x1-bn-relu,maxpool3x3,maxpool3x3,conv3x3-bn-relu"


def even_spellings() -> list[str]:
    """Return spellings of cells with two or four vertices that share the output's channels."""
    space = NASBENCH101.create()
    others = [
        text for text in other_spellings(space, 15) if num_feeding(parse_cell(space.canonicalize(text))) in (2, 4)
    ]
    return [FED_BY_FOUR, FED_BY_TWO_AND_INPUT, *others]


def num_feeding(cell: Cell) -> int:
    return len(set(cell.sources(cell.output)) - {0})


def numbers_in(canonical: Cell, cell: Cell) -> dict[int, int]:
    """Find the canonical number of each vertex."""
    for interior in permutations(range(1, cell.output)):
        numbers = dict(enumerate((0, *interior, cell.output)))
        ops = {numbers[vertex]: op for vertex, op in enumerate(cell.ops, start=1)}
        edges = {(numbers[source], numbers[target]) for source, target in cell.edges}
        if edges == set(canonical.edges) and ops == dict(enumerate(canonical.ops, start=1)):
            return numbers
    raise AssertionError(f"{canonical} is not {cell}")


def copy_cell(
    cell: Cell, numbers: dict[int, int], source: CellModule, target: CellModule, inputs: torch.Tensor
) -> torch.Tensor:
    """Copy the weights of a cell; takes and returns, for each channel of the target, that of the source."""
    feeding = [vertex for vertex in cell.sources(cell.output) if vertex > 0]
    blocks, start = {}, 0
    for vertex in feeding:
        blocks[vertex] = torch.arange(start, start + source.channels[vertex])
        start += source.channels[vertex]
    in_order = [blocks[vertex] for vertex in sorted(feeding, key=numbers.__getitem__)]
    outputs = torch.cat(in_order) if in_order else torch.arange(source.channels[-1])
    for vertex, projection in source.projections.items():
        order = outputs if int(vertex) == cell.output else torch.arange(source.channels[int(vertex)])
        copied = {
            name: values[order][:, inputs] if values.ndim == 4 else values[order] if values.ndim else values
            for name, values in projection.state_dict().items()
        }
        target.projections[str(numbers[int(vertex)])].load_state_dict(copied)
    for vertex, operation in enumerate(source.operations, start=1):
        target.operations[numbers[vertex] - 1].load_state_dict(operation.state_dict())
    return outputs


def copy_network(cell: Cell, numbers: dict[int, int], source: torch.nn.Module, target: torch.nn.Module) -> None:
    target.stem.load_state_dict(source.stem.state_dict())
    order = torch.arange(source.stem[0].out_channels)
    pairs = zip(source.modules(), target.modules(), strict=True)
    for first, second in [pair for pair in pairs if isinstance(pair[0], CellModule)]:
        order = copy_cell(cell, numbers, first, second, order)
    target.classifier.load_state_dict(
        {"weight": source.classifier.weight[:, order].detach(), "bias": source.classifier.bias.detach()}
    )


def build(text: str) -> torch.nn.Module:
    network = NASBENCH101.create().build_network(text, MNIST, "narrow").double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def test_canonical_network_of_even_shares_is_the_same_but_for_the_order_of_channels():
    torch.manual_seed(0)
    images = torch.randn(2, *MNIST.input_shape, dtype=torch.float64)
    for text in even_spellings():
        canonical = NASBENCH101.create().canonicalize(text)
        cell = prune(parse_cell(text))
        spelled, network = build(text), build(canonical)
        copy_network(cell, numbers_in(parse_cell(canonical), cell), spelled, network)
        torch.testing.assert_close(network(images), spelled(images), rtol=1e-10, atol=1e-10)


def test_other_order_of_uneven_shares_is_a_network_of_another_size():
    # 128 channels are 43, 43 and 42; 256 are 86, 85 and 85; 512 are 171, 171 and 170.
    space = NASBENCH101.create()
    assert space.canonicalize(UNEVEN_OTHER_ORDER) == space.canonicalize(UNEVEN)
    counts = count_trainable_parameters([UNEVEN, UNEVEN_OTHER_ORDER])
    kernels = [9 * wide**2 - 9 * narrow**2 - wide**2 + narrow**2 for wide, narrow in ((43, 42), (86, 85), (171, 170))]
    assert counts[0] - counts[1] == 3 * sum(kernels)
