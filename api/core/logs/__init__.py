"""Logs: each line says which request it is about, and no line says a secret.

`context` knows the request at hand, `formats` writes a record in one of three ways, `files` a file that
several processes share, `access` the lines about requests. What a line says of a request is found out when
the line is written: a request that nobody writes about costs one assignment.
"""
