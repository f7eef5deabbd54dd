from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SenderPace",
            fields=[
                (
                    "sender",
                    models.TextField(
                        help_text="channel and address", primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(max_length=20)),
                (
                    "next_at",
                    models.DateTimeField(help_text="when the next message may go out", null=True),
                ),
                ("paused_until", models.DateTimeField(null=True)),
                ("paused_code", models.TextField(blank=True, default="")),
                ("paused_because", models.TextField(blank=True, default="")),
            ],
            options={"db_table": "sender_paces"},
        ),
        migrations.CreateModel(
            name="SenderHour",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "sender",
                        "hour",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sender", models.TextField()),
                ("hour", models.DateTimeField()),
                ("recipients", models.IntegerField()),
            ],
            options={"db_table": "sender_hours"},
        ),
        migrations.DeleteModel(name="ProviderPace"),
    ]
