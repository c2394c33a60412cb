"""Where links for choosing a password end on an installation without a dashboard."""
