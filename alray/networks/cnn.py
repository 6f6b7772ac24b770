"""A small convolutional network for images."""

from torch import nn
from torch.nn import functional
from typing_extensions import override

from alray.networks.layers import SeededDropout
from alray.networks.network import FUSED, Network, Outputs, Values
from alray.networks.tensors import Batch
from alray.settings.common import ModelSpec


class Cnn(Network):
    """Small convolutional classifier for one image modality, after Gal et al. 2017, section 5.1.

    conv 4x4 (32) - ReLU - conv 4x4 (32) - ReLU - max-pool 2 - dropout 0.25 - dense (width) - ReLU - dropout - dense.
    The first dropout drops half as much as the second, as there.
    """

    def __init__(self, name: str, shape: tuple[int, ...], classes: int, spec: ModelSpec) -> None:
        super().__init__()
        self.name = name
        channels, height, width = shape if len(shape) == 3 else (1, *shape)
        self.shape = (channels, height, width)
        self.first = nn.Conv2d(channels, 32, 4)
        self.second = nn.Conv2d(32, 32, 4)
        flat = 32 * ((height - 6) // 2) * ((width - 6) // 2)
        self.first_dropout = SeededDropout(spec.dropout / 2)
        self.dense = nn.Linear(flat, spec.width)
        self.second_dropout = SeededDropout(spec.dropout, spec.width)
        self.output = nn.Linear(spec.width, classes)
        self.head_names = (FUSED,)
        self.tap_sizes = (32, 32, spec.width)

    @override
    def forward(self, batch: Batch) -> Outputs:
        x = batch.features[self.name].view(-1, *self.shape)
        first = functional.relu(self.first(x))
        second = functional.relu(self.second(first))
        flat = functional.max_pool2d(second, 2).flatten(1)
        h = functional.relu(self.dense(self.first_dropout(flat)))
        # Convolutional taps are averaged over the image, as in Yoo and Kweon 2019, figure 2.
        taps = [Values(first.mean((2, 3))), Values(second.mean((2, 3))), Values(h)]
        h = self.second_dropout(h)
        return Outputs({FUSED: Values(self.output(h))}, features=h, taps=taps)
