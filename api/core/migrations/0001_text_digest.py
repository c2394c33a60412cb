from django.db import migrations

from core.digests import CREATE_FUNCTION, DROP_FUNCTION


class Migration(migrations.Migration):
    dependencies = []

    operations = [migrations.RunSQL(CREATE_FUNCTION, DROP_FUNCTION, hints={"is_shared": True})]
