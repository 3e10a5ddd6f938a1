"""What `make bench` measures. Nothing here is imported by a node."""
