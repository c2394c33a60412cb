"""Reads of features and their states that are more than a filter."""
