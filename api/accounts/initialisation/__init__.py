"""The first steps of a new installation: its first superuser, organisation and project."""
