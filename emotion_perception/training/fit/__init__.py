"""The training loop: data splits, data module, Lightning module, run directory."""
