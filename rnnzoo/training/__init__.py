"""Training: one loop for all recipes, on either of two engines."""
