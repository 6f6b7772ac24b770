"""Who answers: a simulated crowd of assessors that err, and what their answers say together. NumPy and SciPy alone."""
