"""The server's side of ASGI: connections, headers, bodies, and the way to either door."""
