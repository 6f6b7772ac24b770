"""File systems of object stores by their addresses, and what their errors mean: for a study's files and for pools."""
