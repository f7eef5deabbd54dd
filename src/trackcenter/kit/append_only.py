"""Tables that accept INSERT only, kept so by the database itself."""

import pgtrigger

APPEND_ONLY = [
    # One trigger an operation and statement-level, so that even an UPDATE that matches no row, or
    # a TRUNCATE by the owner, is refused with words.
    pgtrigger.Trigger(
        name=f"append_only_{operation.lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=kind,
        func=f"""
            RAISE EXCEPTION '% is append-only: {operation} is refused', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        """,
    )
    for operation, kind in (
        ("UPDATE", pgtrigger.Update),
        ("DELETE", pgtrigger.Delete),
        ("TRUNCATE", pgtrigger.Truncate),
    )
]
"""For `Meta.triggers`."""
