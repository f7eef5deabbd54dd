import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

GONE_WITH_THE_JOB = """
    ALTER TABLE job_failures ADD CONSTRAINT gone_with_the_job
    FOREIGN KEY (job_id) REFERENCES procrastinate_jobs (id) ON DELETE CASCADE
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobFailure",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="procrastinate.procrastinatejob",
                    ),
                ),
                ("reason", models.TextField()),
                (
                    "failed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "db_table": "job_failures",
            },
        ),
        migrations.RunSQL(
            GONE_WITH_THE_JOB, "ALTER TABLE job_failures DROP CONSTRAINT gone_with_the_job"
        ),
    ]
