"""Softmax regression on all features: what many use on embeddings that do not learn."""

import torch
from torch import nn
from typing_extensions import override

from alray.networks.network import FUSED, Network, Outputs, Values
from alray.networks.tensors import Batch


class SoftmaxRegression(Network):
    """One matrix from the features of all modalities in a row to the classes.

    Where a modality is absent, a learned vector stands in the place of its features.
    """

    def __init__(self, dimensions: dict[str, int], classes: int) -> None:
        super().__init__()
        self._names = tuple(dimensions)
        alone = len(dimensions) == 1
        self._absent = nn.ParameterList(
            [] if alone else [torch.zeros(inputs) for inputs in dimensions.values()]
        )
        self.output = nn.Linear(sum(dimensions.values()), classes)
        self.head_names = (FUSED,)
        self.tap_sizes = ()

    @override
    def forward(self, batch: Batch) -> Outputs:
        columns = []
        for position, name in enumerate(self._names):
            x, rows = batch.features[name].flatten(1), batch.rows[name]
            if rows is not None and self._absent:
                x = self._absent[position].expand(batch.size, -1).index_copy(0, rows, x)
            columns.append(x)
        features = torch.cat(columns, dim=1)
        return Outputs({FUSED: Values(self.output(features))}, features=features)
