#!/usr/bin/env python
"""Print a fresh value for DJANGO_SECRET_KEY: 64 characters, safe in shells and .env files."""

import secrets
import string

if __name__ == "__main__":
    print("".join(secrets.choice(string.ascii_letters + string.digits + "-_") for _ in range(64)))
