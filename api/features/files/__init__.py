"""Features in files: what exports write and imports read.

    [{"name": "checkout", "type": "MULTIVARIATE", "default_enabled": false, "initial_value": "10",
      "is_server_key_only": false, "enabled": true, "value": 20,
      "multivariate": [{"value": 30, "type": "int", "default_percentage_allocation": 50,
                        "percentage_allocation": 25.0, "key": "more"}],
      "description": null, "is_archived": false}, …]

`enabled`, `value` and `percentage_allocation` are those of one environment. The last line and the variants'
keys are ours: the files of others lack them, and others ignore them.
"""

from features.files.content import PortableFeature, PortableVariant
from features.files.reading import MOST_BYTES, read_features
from features.files.writing import write_features

__all__ = ["MOST_BYTES", "PortableFeature", "PortableVariant", "read_features", "write_features"]
