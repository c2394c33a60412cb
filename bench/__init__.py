"""`make bench`: what Burgee does on this machine, as ratios to a server that does nothing.

Everything runs in one go and beside each other: a PostgreSQL of its own, the server as `make run`
configures it, and a bare uvicorn application under the same gunicorn that answers constant bodies of equal
size. Rounds alternate between the two, so that whatever else the machine does meets both. Absolute numbers
belong to the machine; the ratios can be compared.
"""
