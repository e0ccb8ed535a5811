"""Training: the data, scenes mixed from it on the fly, targets, loop and recipes."""
