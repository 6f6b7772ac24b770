"""The same gradients written out, for networks where autograd costs more than the arithmetic."""
