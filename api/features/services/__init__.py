"""Writes of features and of what they serve, one module for each noun."""
