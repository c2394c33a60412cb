"""What each service is told: for each a file, with a function from what there is to tell to the request."""
