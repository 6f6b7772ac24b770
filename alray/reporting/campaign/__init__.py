"""A campaign's status as a page."""
