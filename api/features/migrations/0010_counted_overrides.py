from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the table of states may be large: it is not locked while its indexes are made

    dependencies = [("features", "0009_code_and_links")]

    operations = [
        AddIndexConcurrently(
            model_name="featurestate",
            index=models.Index(
                condition=models.Q(
                    ("deleted_at__isnull", True), ("is_live", True), ("feature_segment__isnull", False)
                ),
                fields=["environment", "feature"],
                name="served_segment_overrides",
            ),
        ),
        AddIndexConcurrently(
            model_name="featurestate",
            index=models.Index(
                condition=models.Q(
                    ("deleted_at__isnull", True), ("is_live", True), ("identity__isnull", False)
                ),
                fields=["environment", "feature"],
                name="served_identity_overrides",
            ),
        ),
    ]
