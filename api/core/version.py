"""Which version of Burgee this is."""

VERSION = "0.1.0"
