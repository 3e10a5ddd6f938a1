"""What evaluations of models and of recordings share: figures, plots, pages and where they come from. No torch."""
