"""The inbox page: what arrived, for whom, and what became of it. Plain HTML, no script.

Message bodies are foreign: they are shown from their own response in a sandboxed frame, never
inside the page.
"""

import base64
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trackcenter.sandbox import mailbox
from trackcenter.sandbox.context import SANDBOX, Sandbox
from trackcenter.sandbox.state import Row

_HERE = Path(__file__).parent
_PAGE_SIZE = 50
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_BODY_POLICY = (
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
STATUS_WORDS = {
    "ACCEPTED": "Accepted",
    "DELIVERED": "Delivered",
    "FAILED": "Failed",
    "DELAYED": "Delayed",
    "OPENED": "Opened",
}
_CHANNELS = {"EMAIL": "E-mail", "SMS": "SMS"}

_pages = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def routes() -> list[web.RouteDef]:
    """`/`, `/inbox/{number}` and what belongs to a message."""
    return [
        web.get("/", show_list),
        web.get(r"/inbox/{number:\d{1,15}}", show_message),
        web.get(r"/inbox/{number:\d{1,15}}/body", show_body),
        web.get(r"/inbox/{number:\d{1,15}}/source", show_source),
        web.get(r"/inbox/{number:\d{1,15}}/attachments/{attachment:\d{1,15}}", show_attachment),
        web.get("/inbox.css", show_style),
    ]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y, %H:%M:%S UTC")


def _clock(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    is_today = moment.date() == datetime.now(UTC).date()
    return moment.strftime("%H:%M:%S" if is_today else "%d %b, %H:%M")


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _size(count: int) -> str:
    return f"{count / 1024 / 1024:.1f} MB" if count >= 1024 * 1024 else f"{count / 1024:.0f} kB"


_pages.filters |= {"moment": _moment, "clock": _clock, "stamp": _stamp, "size": _size}
_pages.globals |= {"status_words": STATUS_WORDS, "channels": _CHANNELS}


def _page(name: str, *, code: int = 200, **values: object) -> web.Response:
    return web.Response(
        text=_pages.get_template(name).render(**values),
        status=code,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _PAGE_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )


async def show_style(_: web.Request) -> web.StreamResponse:
    """The style sheet."""
    return web.FileResponse(
        _HERE / "static" / "inbox.css", headers={"X-Content-Type-Options": "nosniff"}
    )


async def show_list(request: web.Request) -> web.Response:
    """`/?search=&channel=&status=&before=&live=`: newest first, 50 a page."""
    box = request.app[SANDBOX]
    search = request.query.get("search", "").strip()[:200]
    channel = request.query.get("channel", "")
    status = request.query.get("status", "")
    where, values = ["1 = 1"], []
    if search:
        words = re.sub(r"([%_\\])", r"\\\1", search)
        where.append(
            "(recipient LIKE ?1 ESCAPE '\\' OR subject LIKE ?1 ESCAPE '\\'"
            " OR text LIKE ?1 ESCAPE '\\' OR idempotency_key LIKE ?1 ESCAPE '\\')"
        )
        values.append(f"%{words}%")
    # Numbered parameters, because the search words are used four times.
    for name, value, known in (("channel", channel, _CHANNELS), ("status", status, STATUS_WORDS)):
        if value in known:
            values.append(value)
            where.append(f"{name} = ?{len(values)}")
    narrowed = " AND ".join(where)
    found = box.store.number(f"SELECT COUNT(*) FROM accepted WHERE {narrowed}", values)
    before = request.query.get("before", "")
    if re.fullmatch(r"\d{1,15}", before):
        values.append(before)
        narrowed += f" AND seq < CAST(?{len(values)} AS INTEGER)"
    rows = box.store.all(
        f"SELECT * FROM accepted WHERE {narrowed} ORDER BY seq DESC LIMIT {_PAGE_SIZE + 1}",
        values,
    )
    kept = {
        name: value
        for name, value in (("search", search), ("channel", channel), ("status", status))
        if value
    }
    older = None
    if len(rows) > _PAGE_SIZE:
        rows = rows[:_PAGE_SIZE]
        older = "/?" + urlencode({**kept, "before": rows[-1]["seq"]})
    counts = {
        row["status"]: row["n"]
        for row in box.store.all("SELECT status, COUNT(*) AS n FROM accepted GROUP BY status")
    }
    is_live = request.query.get("live") == "1" and not before
    return _page(
        "list.html",
        rows=rows,
        found=found,
        total=sum(counts.values()),
        counts=counts,
        search=search,
        channel=channel,
        status=status,
        older=older,
        newest="/?" + urlencode(kept) if before else None,
        is_live=is_live,
        toggle="/?" + urlencode(kept if is_live else {**kept, "live": "1"}),
        faults={name: value for name, value in box.faults.as_json().items() if value},
    )


def _accepted(request: web.Request) -> tuple[Sandbox, Row | None]:
    box = request.app[SANDBOX]
    row = box.store.one(
        "SELECT * FROM accepted WHERE seq = ?", (int(request.match_info["number"]),)
    )
    return box, row


def _missing() -> web.Response:
    return _page("missing.html", code=404)


async def show_message(request: web.Request) -> web.Response:
    """One message: addresses, what happened, body, attachments."""
    box, row = _accepted(request)
    if row is None:
        return _missing()
    news = box.store.all("SELECT * FROM news WHERE accepted = ? ORDER BY seq", (row["seq"],))
    attachments = box.store.all(
        "SELECT seq, name, content_type, size, content IS NOT NULL AS is_kept FROM attachments"
        " WHERE mail = ? AND content_id IS NULL ORDER BY seq",
        (row["mail"],),
    )
    return _page("message.html", row=row, news=news, attachments=attachments)


async def show_body(request: web.Request) -> web.Response:
    """A mail's body as its own document, without rights."""
    box, row = _accepted(request)
    mail = box.store.one("SELECT * FROM mails WHERE seq = ?", (row["mail"],)) if row else None
    if mail is None:
        return _missing()
    body = mailbox.content_of(mail).get("body") or {"contentType": "text", "content": ""}
    is_html = body["contentType"] == "html"
    text = str(body["content"])
    if is_html:
        for image in box.store.all(
            "SELECT content_id, content_type, content FROM attachments"
            " WHERE mail = ? AND content_id IS NOT NULL AND content IS NOT NULL",
            (mail["seq"],),
        ):
            if image["content_type"].startswith("image/"):
                coded = base64.b64encode(image["content"]).decode()
                text = text.replace(
                    f"cid:{image['content_id']}", f"data:{image['content_type']};base64,{coded}"
                )
    return web.Response(
        text=text,
        content_type="text/html" if is_html else "text/plain",
        charset="utf-8",
        headers={
            "Content-Security-Policy": _BODY_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )


async def show_source(request: web.Request) -> web.Response:
    """A mail as MIME, as text."""
    box, row = _accepted(request)
    mail = box.store.one("SELECT * FROM mails WHERE seq = ?", (row["mail"],)) if row else None
    if mail is None:
        return _missing()
    return web.Response(
        body=mailbox.mime_of(box, mail),
        content_type="text/plain",
        charset="utf-8",
        headers={
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def show_attachment(request: web.Request) -> web.Response:
    """An attachment, always as a download."""
    box, row = _accepted(request)
    attachment = (
        box.store.one(
            "SELECT * FROM attachments WHERE mail = ? AND seq = ?",
            (row["mail"], int(request.match_info["attachment"])),
        )
        if row
        else None
    )
    if attachment is None or attachment["content"] is None:
        return _missing()
    return web.Response(
        body=attachment["content"],
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(attachment['name'], '')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )
