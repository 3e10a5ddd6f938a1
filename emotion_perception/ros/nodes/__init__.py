"""The nodes of this package, one module each."""
