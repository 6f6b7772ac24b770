"""The published study run again, figure by figure: `scripts/studies/reproduce --help` describes it."""
