"""The definition language: syntax tree, parser, printer, checker, builder and interpreter."""
