"""Questions about buildings."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db import connection

from trackcenter.access.visible import VisibleBuildings
from trackcenter.buildings.stats import COLUMNS, stats, total_of
from trackcenter.kit.pagination import decode_cursor, encode_cursor

_PAGE = """
    SELECT id, code, name, address, time_zone, unit_count
    FROM buildings
    WHERE (%(visible)s::uuid[] IS NULL OR id = ANY(%(visible)s))
      AND (%(id)s::uuid IS NULL OR id = %(id)s)
      AND (%(search)s = '' OR strpos(lower(name || ' ' || code || ' ' || address), %(search)s) > 0)
      AND (%(after_name)s::text IS NULL OR (name, id) > (%(after_name)s, %(after_id)s::uuid))
    ORDER BY name, id LIMIT %(limit)s
"""

_ROLLUPS = f"""
    SELECT building_id, channel, array_agg(DISTINCT year) AS years,
           {", ".join(f"sum({column})::int" for column in COLUMNS.split(", "))}
    FROM channel_rollups WHERE building_id = ANY(%s) GROUP BY building_id, channel
    ORDER BY building_id, channel
"""


def list_buildings(
    visible: VisibleBuildings,
    *,
    search: str = "",
    id: UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """One page of buildings by name, each with its counts over all years (`BuildingPage`).

    With `id` it is that building alone, or none where it may not be seen.
    """
    after_name, after_id = decode_cursor(cursor, str, UUID) if cursor else (None, None)
    with connection.cursor() as database:
        database.execute(
            _PAGE,
            {
                "visible": visible.as_parameter(),
                "id": id,
                "search": search.replace("\x00", "").lower().strip(),
                "after_name": after_name,
                "after_id": after_id,
                "limit": limit + 1,
            },
        )
        rows = database.fetchall()
        page = rows[:limit]
        database.execute(_ROLLUPS, [[row[0] for row in page]])
        channels: dict[UUID, dict[str, dict[str, Any]]] = defaultdict(dict)
        years: dict[UUID, set[int]] = defaultdict(set)
        for building_id, channel, channel_years, *counts in database.fetchall():
            channels[building_id][channel] = stats(counts)
            years[building_id].update(channel_years)
    return {
        "items": [
            {
                "id": id_,
                "code": code,
                "name": name,
                "address": address,
                "timeZone": time_zone,
                "unitCount": unit_count,
                "years": sorted(years[id_], reverse=True),
                "stats": {
                    **total_of(channels[id_].values()),
                    "byChannel": channels[id_],
                },
            }
            for id_, code, name, address, time_zone, unit_count in page
        ],
        "nextCursor": encode_cursor(page[-1][2], page[-1][0]) if len(rows) > limit else None,
    }
