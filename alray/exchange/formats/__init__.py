"""The files of each labelling tool, a module per tool."""
