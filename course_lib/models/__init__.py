"""Networks in PyTorch, one architecture a module, written to be read."""
