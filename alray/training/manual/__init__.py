"""Manual training steps: gradients written out, for networks where autograd takes longer than the arithmetic."""
