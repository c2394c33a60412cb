"""Where static files are put by `collectstatic`, and where pages find them."""

from dataclasses import dataclass
from typing import Any

ON_DISK = "django.contrib.staticfiles.storage.StaticFilesStorage"
ON_S3 = "storages.backends.s3.S3StaticStorage"

# As long as WhiteNoise has browsers keep files whose names say nothing of what is in them.
_CACHE_CONTROL = "public, max-age=60"


@dataclass(frozen=True)
class Bucket:
    """A bucket of Amazon S3, or of what speaks its protocol. Whose key opens it, the AWS library finds out.

    Attributes:
        endpoint: URL of the server; empty for Amazon's of the region.
        domain: host under which browsers find the bucket; empty for Amazon's.
    """

    name: str
    region: str
    endpoint: str
    domain: str

    @property
    def public_host(self) -> str:
        """Host, and perhaps the beginning of a path, of the bucket's files."""
        if self.domain:
            return self.domain
        if self.endpoint:
            return f"{self.endpoint.rpartition('://')[2].rstrip('/')}/{self.name}"
        return f"{self.name}.s3.{self.region}.amazonaws.com"

    @property
    def protocol(self) -> str:
        is_plain = self.endpoint.startswith("http://") and not self.domain
        return "http:" if is_plain else "https:"


def static_storage(*, use_s3: bool, bucket: Bucket) -> dict[str, Any]:
    """Return Django's `STORAGES["staticfiles"]`."""
    if not use_s3:
        return {"BACKEND": ON_DISK}
    return {
        "BACKEND": ON_S3,
        "OPTIONS": {
            "bucket_name": bucket.name,
            "region_name": bucket.region,
            "endpoint_url": bucket.endpoint or None,
            # Known beforehand, so that pages need nothing of AWS's library.
            "custom_domain": bucket.public_host,
            "url_protocol": bucket.protocol,
            "location": "static",
            "object_parameters": {"CacheControl": _CACHE_CONTROL},
        },
    }
