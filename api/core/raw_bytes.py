"""Lets caches keep bytes as they are. Their own way is pickling, and unpickling runs what it reads."""


class RawBytes:
    """A serializer for Django's Redis back end, and a serde for its Memcached one. Bytes only."""

    def dumps(self, value: bytes) -> bytes:
        return _bytes(value)

    def loads(self, data: bytes) -> bytes:
        return data

    def serialize(self, key: object, value: bytes) -> tuple[bytes, int]:
        return _bytes(value), 0

    def deserialize(self, key: object, value: bytes, flags: int) -> bytes:
        return value


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("This cache keeps bytes only.")
    return value
