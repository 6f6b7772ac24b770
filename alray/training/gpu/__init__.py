"""Training on a GPU: the networks of several runs take their steps at once, replayed as a CUDA graph."""
