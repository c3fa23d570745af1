"""Recipes, losses and the trainer. Keras 3 and NumPy only: the same command trains on TensorFlow, JAX or PyTorch."""
