"""The demonstration: starts the nodes, watches them and reports what they found."""
