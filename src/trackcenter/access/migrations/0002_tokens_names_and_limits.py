import django.db.models.functions.text
from django.db import migrations, models

# The table of Django's database cache, where wrong passwords are counted: as
# `createcachetable` would make it, but part of the same one step as every other table.
_CACHE_TABLE = """
    CREATE TABLE IF NOT EXISTS cache_entries (
        cache_key varchar(255) NOT NULL PRIMARY KEY,
        value text NOT NULL,
        expires timestamp with time zone NOT NULL
    );
    CREATE INDEX IF NOT EXISTS cache_entries_expires ON cache_entries (expires);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="restricted",
            field=models.BooleanField(
                default=False, help_text="to `buildings`; a list that becomes empty opens nothing"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("username"),
                name="username_once_in_any_case",
            ),
        ),
        migrations.RunSQL(_CACHE_TABLE, "DROP TABLE cache_entries"),
    ]
