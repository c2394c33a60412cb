from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # an index that is built beside writers can't be built in a transaction

    dependencies = [
        ("audit", "0006_erasable"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="auditrecord",
            index=models.Index(fields=["xid"], name="audit_by_transaction"),
        ),
        AddIndexConcurrently(
            model_name="rowchange",
            index=models.Index(fields=["xid"], name="changes_by_transaction"),
        ),
    ]
