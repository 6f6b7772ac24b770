"""Late fusion with every kind of block, encoder and fusion."""

from itertools import product

THREE = {"image": 9, "text": 5, "sound": 40}
ALIKE = {"image": 6, "text": 6, "sound": 6}
"""Modalities of one width, which some fusions need where there is no encoder; joined they are as wide as the trunk."""

BLOCKS, ENCODERS = ("plain", "residual", "highway"), ("mlp", "linear", "none")
FUSIONS = ("concat", "sum", "gated", "attention", "matrix", "early")

PARTS = [
    (ALIKE if encoder == "none" else THREE, {"block": block, "encoder": encoder, "fusion": fusion})
    for block, encoder, fusion in product(BLOCKS, ENCODERS, FUSIONS)
]
"""Dimensions of modalities, and settings of the model."""

NAMES = ["-".join(model.values()) for _, model in PARTS]
