"""The nouns of the domain, on the standard library alone."""
