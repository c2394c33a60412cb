"""Routes for those who operate an installation, under a key of their own: `AUTH_KEY`."""
