"""Training steps, and fits with early stopping."""
