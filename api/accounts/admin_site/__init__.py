"""The sign-in of /admin/: with a password and, where one is active, a second factor on a second page."""
