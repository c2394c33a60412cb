"""Which version of Burgee this is: the one place that says so.

`/version/`, the header `Flagsmith-Version`, metrics and backups name it, and so does what Burgee calls
itself to other servers. What a version promises stands in docs/releases.md.
"""

VERSION = "0.1.0"

# RFC 9110, section 10.1.5: a product, and its version.
USER_AGENT = f"burgee/{VERSION}"
