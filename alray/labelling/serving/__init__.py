"""A page to label with, for teams without a tool: `alray label serve`."""
