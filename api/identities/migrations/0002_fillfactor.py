from django.db import migrations


class Migration(migrations.Migration):
    """Leaves room in each page, so that a trait write stays in its page and touches no index."""

    dependencies = [("identities", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE identities_identity SET (fillfactor = 85);",
            "ALTER TABLE identities_identity RESET (fillfactor);",
        )
    ]
