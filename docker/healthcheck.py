"""Asks the server in this container whether it lives. Runs every few seconds, so it imports next to nothing.

    healthcheck.py [tcp] [--port 8000] [--timeout 1]                          takes a connection
    healthcheck.py http [--port 8000] [--timeout 1] [path=/health/liveness]   answers with less than 400

Exit status 0 for yes, 1 for no, 2 for a question that makes no sense.
"""

import os
import socket
import sys


def main(arguments):
    options = {"--port": os.environ.get("PORT") or "8000", "--timeout": "1"}
    words = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        name, is_given, value = word.partition("=")
        if name in options:
            options[name] = value if is_given else (waiting.pop(0) if waiting else "")
        else:
            words.append(word)
    kind = words.pop(0) if words else "tcp"
    path = words.pop(0).removeprefix("path=") if words and kind == "http" else "/health/liveness"
    try:
        port, timeout = int(options["--port"]), float(options["--timeout"])
    except ValueError:
        return usage()
    if kind not in ("tcp", "http") or words:
        return usage()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            return 0 if kind == "tcp" or status(connection, path) < 400 else 1
    except (OSError, ValueError, IndexError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def status(connection, path):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    line = b""
    while b"\n" not in line and (part := connection.recv(64)):
        line += part
    return int(line.split()[1])


def usage():
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
