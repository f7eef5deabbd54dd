"""Names sort as people expect, and are found without their accents."""

from itertools import islice
from typing import Any

from django.db import migrations, models

from trackcenter.kit.names import name_key


def fill(apps: Any, editor: Any) -> None:
    """A thousand rows at a time, each written once."""
    rows = apps.get_model("communications", "UnitBill").objects.using(editor.connection.alias)
    left = rows.only("recipient_name", "search").iterator()
    while bills := list(islice(left, 1000)):
        for bill in bills:
            bill.name_key = name_key(bill.recipient_name)
            known = bill.search.lower().splitlines()
            if bill.name_key not in known:
                bill.search = "\n".join((bill.search, bill.name_key))
        rows.bulk_update(bills, ["name_key", "search"])


class Migration(migrations.Migration):
    dependencies = [("communications", "0004_attachment_thumbnail_sha256")]

    operations = [
        migrations.AddField(
            model_name="unitbill",
            name="name_key",
            field=models.CharField(
                default="", help_text="the recipient's, see kit.names", max_length=200
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="unitbill",
            name="search",
            field=models.TextField(
                help_text="unit number, recipient, e-mail, phone, and the recipient without accents"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="unitbill", name="unit_bills_by_name"),
        migrations.AddIndex(
            model_name="unitbill",
            index=models.Index(fields=["batch", "name_key", "unit"], name="unit_bills_by_name"),
        ),
    ]
