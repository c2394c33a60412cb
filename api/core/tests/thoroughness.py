"""How much of a walk is walked: a share that differs from route to route, or with `make walks` all of it."""

import os

EVERYTHING = os.environ.get("WALKS") == "full"
