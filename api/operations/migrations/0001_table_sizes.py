import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="TableSize",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("measured_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("table", models.CharField(max_length=63)),
                ("bytes", models.BigIntegerField()),
                ("rows", models.BigIntegerField(help_text="As many as the database estimates.")),
            ],
            options={
                "ordering": ["-measured_at", "-bytes"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("measured_at", "table"), name="one_size_of_table_at_a_time"
                    )
                ],
            },
        ),
    ]
