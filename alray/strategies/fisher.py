"""Fisher information of the last layer, of objects given by its inputs h and the probabilities p.

An object's information is I(x) = (diag(p) - p p^T) kron h h^T, a square of classes x width. With s = sqrt(p), which has
length 1, the first factor is L L^T with L = diag(s) (1 - s s^T), so I(x) has the root L kron h of as many columns as
there are classes.
"""

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 2048
"""Objects whose information is added up at a time."""

AT_ONCE = 512
"""Objects that are compared at a time: four matrices of classes x classes for each."""

MOST_NUMBERS = 1 << 27
"""Numbers of a block, 500 MB in float32: of many classes it has fewer objects."""


def total_information(
    probs: Float[Tensor, "n classes"], inputs: Float[Tensor, "n width"]
) -> Float[Tensor, "size size"]:
    """Return the sum of the objects' information (float64), rows and columns by class, then by input.

    It is one product of all pairs of classes with all pairs of inputs, each pair once.
    """
    classes, width = probs.shape[1], inputs.shape[1]
    rows, columns = _pairs(classes), _pairs(width)
    total = torch.zeros(rows.shape[1], columns.shape[1], dtype=torch.float64)
    block = _objects_at_once(BLOCK, 3 * rows.shape[1])
    for p, h in zip(torch.split(probs, block), torch.split(inputs, block), strict=True):
        variances = -p[:, rows[0]] * p[:, rows[1]]
        variances[:, rows[0] == rows[1]] += p
        total += variances.t() @ (h[:, columns[0]] * h[:, columns[1]])
    whole = total.new_empty(classes, width, classes, width)
    square = total.new_empty(width, width)
    for (one, other), values in zip(rows.t().tolist(), total, strict=True):
        square[columns[0], columns[1]] = values
        square[columns[1], columns[0]] = values
        whole[one, :, other] = whole[other, :, one] = square
    return whole.view(classes * width, classes * width)


def _objects_at_once(most: int, numbers: int) -> int:
    """Return how many objects a block has, of so many numbers each."""
    return max(1, min(most, MOST_NUMBERS // numbers))


def _pairs(n: int) -> Tensor:
    """Return (2, n (n + 1) / 2) all pairs of n, each once."""
    return torch.triu_indices(n, n)


class Information:
    """An information matrix M that objects are added to and taken from, beside a matrix F that it has to cover.

    It holds M^-1 and M^-1 F M^-1, which an object changes by a product of low rank (Woodbury), so tr(M^-1 F) is known
    for M with any object more or less from classes x classes products alone.
    """

    def __init__(
        self, matrix: Float[Tensor, "size size"], wanted: Float[Tensor, "size size"], classes: int
    ) -> None:
        """Take M, which has to be invertible, and F, both in float64."""
        self._classes, self._width = classes, len(matrix) // classes
        self._inverse = torch.linalg.inv(matrix)
        self._covering = self._inverse @ wanted @ self._inverse
        self.trace = float((self._inverse * wanted).sum())
        self._packed: Tensor | None = None

    def gains(
        self,
        probs: Float[Tensor, "n classes"],
        inputs: Float[Tensor, "n width"],
        *,
        removed: bool = False,
    ) -> Float[Tensor, " n"]:
        """Return by how much tr(M^-1 F) falls where each object is added to M, or grows where it is removed.

        What is removed may leave a matrix that is singular but for a small number: give such objects in float64.

        With V the root of the object's information it is tr((1 + V^T M^-1 V)^-1 V^T M^-1 F M^-1 V), and the same with a
        minus where it is removed.
        """
        block = _objects_at_once(AT_ONCE, 4 * self._classes**2)
        found = [
            self._gains(p, h, -1.0 if removed else 1.0)
            for p, h in zip(torch.split(probs, block), torch.split(inputs, block), strict=True)
        ]
        return torch.cat(found)

    def _gains(self, probs: Tensor, inputs: Tensor, sign: float) -> Tensor:
        pairs = _pairs(self._width)
        products = inputs[:, pairs[0]] * inputs[:, pairs[1]]
        if self._packed is None or self._packed.dtype != inputs.dtype:
            matrices = (self._inverse.to(inputs.dtype), self._covering.to(inputs.dtype))
            self._packed = torch.cat([self._pack(matrix) for matrix in matrices], dim=1)
        shape = (len(inputs), 2, self._classes, self._classes)
        both = (products @ self._packed).view(shape)
        roots = probs.sqrt()
        inverse, covering = (_within(both[:, number], roots) for number in (0, 1))
        inner = torch.eye(self._classes, dtype=inputs.dtype) + sign * inverse
        factors, failed = torch.linalg.cholesky_ex(inner)
        gains = (torch.cholesky_inverse(factors) * covering).sum((1, 2))
        # Without such an object M is singular but for rounding.
        return torch.where(failed > 0, torch.inf, gains)

    def _pack(self, matrix: Tensor) -> Tensor:
        """Return (pairs of inputs, classes^2): a quadratic form in h is a product with all pairs of its numbers."""
        blocks = matrix.view(self._classes, self._width, self._classes, self._width)
        by_input = blocks.permute(1, 3, 0, 2).reshape(self._width, self._width, -1)
        one, other = _pairs(self._width)
        packed = by_input[one, other] + by_input[other, one]
        packed[one == other] *= 0.5
        return packed

    def change(
        self,
        probs: Float[Tensor, " classes"],
        inputs: Float[Tensor, " width"],
        *,
        removed: bool = False,
    ) -> None:
        """Add an object's information to M, or take it away."""
        sign = -1.0 if removed else 1.0
        root, h = probs.double().sqrt(), inputs.double()
        factor = torch.diag(root) - torch.outer(root.square(), root)
        u, y = (self._times(matrix, factor, h) for matrix in (self._inverse, self._covering))
        once, twice = (factor.t() @ self._contracted(each, h) for each in (u, y))
        inner = torch.eye(self._classes, dtype=u.dtype) + sign * once
        left = torch.linalg.solve(inner, u.t()).t()
        self.trace -= sign * float(torch.linalg.solve(inner, twice).diagonal().sum())
        self._inverse.addmm_(left, u.t(), alpha=-sign)
        # Both mixed terms and half of the last one each, as one product.
        right = y - sign / 2 * (left @ twice)
        both = torch.cat([left, right], dim=1), torch.cat([right, left], dim=1)
        self._covering.addmm_(both[0], both[1].t(), alpha=-sign)
        self._packed = None

    def _times(self, matrix: Tensor, factor: Tensor, h: Tensor) -> Tensor:
        """Return (size, classes) the product with the root of an object's information, factor kron h."""
        return (matrix.view(-1, self._classes, self._width) @ h) @ factor

    def _contracted(self, matrix: Tensor, h: Tensor) -> Tensor:
        """Return (classes, columns) for (size, columns) the sum over an object's inputs."""
        return torch.einsum("crk,r->ck", matrix.view(self._classes, self._width, -1), h)


def _within(forms: Float[Tensor, "n c c"], roots: Float[Tensor, "n c"]) -> Float[Tensor, "n c c"]:
    """Return L^T forms L for each object's L = diag(s) (1 - s s^T), symmetric."""
    scaled = forms * roots[:, :, None] * roots[:, None]
    projected = torch.bmm(scaled, roots[:, :, None])
    both = torch.bmm(roots[:, None], projected)
    crossed = projected * roots[:, None]
    return scaled - crossed - crossed.mT + both * (roots[:, :, None] * roots[:, None])
