"""Shapes of features and their states on the wire."""
