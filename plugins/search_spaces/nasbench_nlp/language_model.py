"""NAS-Bench-NLP's language models: recurrent layers between an embedding and a decoder that share their weights.

As in the benchmark's released code (Klyuchnikov et al., 2020), which follows AWD-LSTM (Merity et al., ICLR 2018): words
become vectors of 400 features, and the outputs of the layers, by the transposed embedding and a bias, logits of the
word that follows. Embedding weights begin uniform in +-0.1, the bias as zero. In training, besides the dropouts of the
layers, some words are left out wherever they occur, and some features of the vectors at every step of a sequence.

The released code cuts the gradient of the matrices that are not fed by ``x``, which stay as they began. Here these
parameters are frozen, so that a training leaves them, and what looks at weights sees them like others.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.capabilities import Reading
from .network import VARIANTS, WIDTH, LayerStates, RecurrentNetwork, draw_mask
from .recipe import Recipe

INITIAL_RANGE = 0.1


@dataclass(frozen=True)
class WordDropouts:
    """How much is dropped of what goes into the layers.

    Attributes:
        words: Share of the words of the vocabulary.
        features: Share of the features of each sequence.
    """

    words: float
    features: float


WORD_DROPOUTS = {
    "benchmark": WordDropouts(words=0.1, features=0.4),
    "wikitext-2": WordDropouts(words=0.0, features=0.4),
    "all-trained": WordDropouts(words=0.1, features=0.4),
}
"""By network variant."""


class LanguageModel(nn.Module):
    """Maps tokens ``(batch, length)`` to logits of those that follow, ``(batch, length, vocabulary)``.

    Attributes:
        recurrent: The layers.
        embedding: Vectors of all words, which also decode.
        bias: Of the decoder.
    """

    def __init__(self, recipe: Recipe, vocabulary: int, variant: str) -> None:
        """Build the model; initial weights come from torch's global generator.

        Args:
            recipe: The cell of all layers.
            vocabulary: Number of words.
            variant: One of the space's networks.
        """
        super().__init__()
        dropouts = VARIANTS[variant]
        self.recurrent = RecurrentNetwork(recipe, dataclasses.replace(dropouts, frozen=False))
        if dropouts.frozen:
            for weight in self.recurrent.recurrent_weights():
                weight.requires_grad_(False)
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        nn.init.uniform_(self.embedding.weight, -INITIAL_RANGE, INITIAL_RANGE)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.word_dropouts = WORD_DROPOUTS[variant]

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the tokens that follow; all states begin as zero."""
        return self.read(tokens).logits

    def read(self, tokens: Tensor, states: LayerStates | None = None) -> Reading:
        """Read on in several texts at once.

        Args:
            tokens: Shape ``(batch, length)``.
            states: Those of the reading before, zero if None.
        """
        vectors = self._look_up(tokens).transpose(0, 1)
        if self.training:
            shape, dtype, device = vectors[:1].shape, vectors.dtype, vectors.device
            vectors = vectors * draw_mask(shape, self.word_dropouts.features, dtype, device)
        outputs, raw_outputs, states = self.recurrent.read(vectors, states)
        logits = functional.linear(outputs.transpose(0, 1), self.embedding.weight, self.bias)
        return Reading(logits, outputs, raw_outputs, states)

    def _look_up(self, tokens: Tensor) -> Tensor:
        vectors: Tensor = self.embedding(tokens)
        share = self.word_dropouts.words
        if not self.training or not share:
            return vectors
        words = draw_mask(torch.Size((self.embedding.num_embeddings, 1)), share, vectors.dtype, vectors.device)
        return vectors * words[tokens]
