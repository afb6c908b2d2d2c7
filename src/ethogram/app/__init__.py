"""Composition: the command line and the Python API over the other rooms."""
