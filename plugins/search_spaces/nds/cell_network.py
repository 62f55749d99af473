"""Networks of cells: normal cells with a reduction cell a third and two thirds of the way down."""

from __future__ import annotations

from torch import Tensor, nn

from .cell_module import CellModule
from .definition import CellSpaceDefinition, Form
from .genotype import Architecture
from .stems import AuxiliaryHead, CifarStem, ImagenetStem


class CellNetwork(nn.Module):
    """Image classifier of an architecture.

    Attributes:
        auxiliary: The head that training adds to the loss with the weight 0.4, None if there is none.
    """

    def __init__(
        self,
        architecture: Architecture,
        definition: CellSpaceDefinition,
        *,
        input_channels: int,
        num_classes: int,
        form: Form = "cifar",
        auxiliary: bool = False,
    ) -> None:
        """Build the network with PyTorch's default initial weights.

        Args:
            architecture: Its cells, width and depth.
            definition: Its operations, and what cells concatenate.
            input_channels: Image channels.
            num_classes: Length of the logits.
            form: `cifar`: a 3x3 convolution to three times the width in front of the first cell.
                `imagenet`: two stems, which feed the two inputs of the first cell at a quarter and an eighth of the
                    images' resolution.
                `imagenet-unstrided`: the same at full resolution, as GenNAS (Li et al., NeurIPS 2021) builds them.
            auxiliary: Whether to add the auxiliary head, for images of 32 pixels, or 224 with strided stems.
        """
        super().__init__()
        channels = architecture.width
        # One cell takes the other's place where a third of the way down is two thirds: never from three cells on.
        self.reductions = (architecture.depth // 3, 2 * architecture.depth // 3)
        self.stem: CifarStem | ImagenetStem
        if form == "cifar":
            self.stem = CifarStem(input_channels, channels)
        else:
            self.stem = ImagenetStem(input_channels, channels, strided=form == "imagenet")
        in_channels = (self.stem.out_channels, self.stem.out_channels)
        halves_first = form == "imagenet"
        reduced_channels = 0
        self.cells = nn.ModuleList()
        for index in range(architecture.depth):
            reduces = index in self.reductions
            channels *= 2 if reduces else 1
            cell = CellModule(
                architecture.reduction if reduces else architecture.normal,
                definition,
                in_channels,
                channels,
                reduces=reduces,
                halves_first=halves_first,
            )
            self.cells.append(cell)
            in_channels, halves_first = (in_channels[1], cell.out_channels), reduces
            reduced_channels = cell.out_channels if reduces else reduced_channels
        self.classifier = nn.Linear(in_channels[1], num_classes)
        # Last, so that all else begins with the weights that it has in a network without the head.
        self.auxiliary: AuxiliaryHead | None = None
        if auxiliary:
            self.auxiliary = AuxiliaryHead(reduced_channels, num_classes, for_cifar=form == "cifar")

    def forward_cells(self, images: Tensor) -> list[Tensor]:
        """Return the output of the stem, the second of two, and of each cell, in the order they run."""
        before_previous, previous = self.stem(images)
        outputs = [previous]
        for cell in self.cells:
            before_previous, previous = previous, cell(before_previous, previous)
            outputs.append(previous)
        return outputs

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Return the outputs of stem and cells, each of shape (batch, channels, height, width).

        Each is the very tensor that the next two cells take. A cell need not use both.
        """
        return self.forward_cells(images)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return the outputs of the cells before the two reduction cells, and of the last cell.

        In the form for CIFAR they have the images' height, half and a quarter of it, rounded up.
        """
        outputs = self.forward_cells(images)
        return [outputs[self.reductions[0]], outputs[self.reductions[1]], outputs[-1]]

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Map images (batch, input_channels, height, width) to logits (batch, num_classes).

        In training, a network with an auxiliary head returns its logits and those of the head.
        """
        outputs = self.forward_cells(images)
        logits: Tensor = self.classifier(outputs[-1].mean(dim=(2, 3)))
        if self.auxiliary is None or not self.training:
            return logits
        return logits, self.auxiliary(outputs[self.reductions[1] + 1])


class SingleCellNetwork(nn.Module):
    """Image classifier of one normal cell, whose two inputs are the images, and a linear classifier; no stem."""

    CHANNELS = 4

    def __init__(
        self,
        architecture: Architecture,
        definition: CellSpaceDefinition,
        *,
        input_channels: int,
        num_classes: int,
        final_activation: bool,
    ) -> None:
        """Build the network with PyTorch's default initial weights.

        Args:
            architecture: Its normal cell counts.
            definition: Its operations, and what cells concatenate.
            input_channels: Image channels.
            num_classes: Length of the logits.
            final_activation: Whether batch normalisation and ReLU follow the cell.
        """
        super().__init__()
        in_channels = (input_channels, input_channels)
        self.cell = CellModule(
            architecture.normal, definition, in_channels, self.CHANNELS, reduces=False, halves_first=False
        )
        channels = self.cell.out_channels
        self.final_activation = (
            nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()) if final_activation else nn.Identity()
        )
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, input_channels, height, width) to logits (batch, num_classes)."""
        features: Tensor = self.final_activation(self.cell(images, images))
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits
