"""Recipes: each a module with `run(folder, …)` that anyone can run again."""
