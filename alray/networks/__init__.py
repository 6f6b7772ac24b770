"""PyTorch: a pool as tensors, layers, the built-in networks, private kernels."""
