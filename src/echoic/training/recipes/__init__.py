"""Training recipes: each a module with `run(folder, …)`, reproducible by anyone."""
