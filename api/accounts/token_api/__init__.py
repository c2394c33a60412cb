"""Signing up and in by two short routes, for programs: an id and a token, and nothing else.

They make the same users as `auth/users/`, check credentials as `auth/login/` does, and tell what is wrong as
`{"msg", "reason"}`.
"""
