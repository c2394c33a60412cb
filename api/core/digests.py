"""A digest of text, in the database, for unique indexes on text that may be long.

A b-tree entry holds at most 2,704 bytes, and 2,000 characters may be 8,000 bytes. The function
is made by core's first migration; `convert_to` is only "stable" to PostgreSQL, because a
database could have another encoding, so the wrapper vouches for it.
"""

from django.db import models
from django.db.models import Func


class Digest(Func):
    """SHA-256 of a text's UTF-8 bytes, as 32 bytes: `Digest("identifier")`."""

    function = "text_digest"
    arity = 1
    output_field = models.BinaryField()


CREATE_FUNCTION = """
CREATE FUNCTION text_digest(text) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT pg_catalog.sha256(pg_catalog.convert_to($1, 'UTF8')) $$;
"""
DROP_FUNCTION = "DROP FUNCTION text_digest(text);"
