import base64

from tests.sandbox.fixture import RunningSandbox, wait_for


def page(sandbox: RunningSandbox, path: str = "/") -> str:
    reply = sandbox.request("GET", path)
    assert reply.status == 200
    return reply.data.decode()


def test_an_empty_inbox_says_so(sandbox: RunningSandbox) -> None:
    assert "Nothing has arrived yet." in page(sandbox)


def test_what_arrived_is_listed_and_can_be_narrowed(sandbox: RunningSandbox) -> None:
    sandbox.mail("anna@example.org", subject="Bill of Anna")
    sandbox.mail("bounce@example.org", subject="Bill of Bert")
    sandbox.sms("+491700000003")
    wait_for(lambda: sandbox.request("GET", "/healthz").json()["waiting"] == 0)
    everything = page(sandbox)
    for words in ("anna@example.org", "Bill of Bert", "+491700000003", "Delivered", "Failed"):
        assert words in everything
    assert "Bill of Anna" in page(sandbox, "/?search=anna")
    assert "Bill of Bert" not in page(sandbox, "/?search=anna")
    assert "Bill of Bert" in page(sandbox, "/?status=FAILED&channel=EMAIL")
    assert "Bill of Anna" not in page(sandbox, "/?status=FAILED&channel=EMAIL")
    assert "Nothing matches." in page(sandbox, "/?search=100%25")


def test_a_long_list_has_pages(sandbox: RunningSandbox) -> None:
    for number in range(51):
        sandbox.sms("+491700000002", message=f"text number {number:02}")
    first = page(sandbox)
    assert "text number 50" in first
    assert "text number 00" not in first
    link = first.partition('">Older')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert "text number 00" in page(sandbox, link)


def test_foreign_text_stays_text(sandbox: RunningSandbox) -> None:
    sandbox.mail("anna@example.org", subject="<script>alert(1)</script>")
    assert "<script>" not in page(sandbox)
    assert "&lt;script&gt;" in page(sandbox)
    assert "<script>" not in page(sandbox, "/?search=" + "%3Cscript%3E")


def test_a_message_shows_its_body_in_a_frame_without_rights(sandbox: RunningSandbox) -> None:
    pixel = base64.b64encode(b"image bytes").decode()
    sandbox.mail(
        "anna@example.org",
        body={
            "contentType": "html",
            "content": "<p>Hello</p><img src='cid:logo'><script></script>",
        },
        attachments=[
            {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "name": "bill.pdf",
                "contentType": "application/pdf",
                "contentBytes": base64.b64encode(b"%PDF").decode(),
            },
            {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "name": "logo.png",
                "contentType": "image/png",
                "contentId": "logo",
                "isInline": True,
                "contentBytes": pixel,
            },
        ],
    )
    path = page(sandbox).partition('href="/inbox/')[2].partition('"')[0]
    shown = page(sandbox, f"/inbox/{path}")
    assert f'<iframe src="/inbox/{path}/body" sandbox' in shown
    assert "bill.pdf" in shown
    assert "logo.png" not in shown
    body = sandbox.request("GET", f"/inbox/{path}/body")
    assert body.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert f"data:image/png;base64,{pixel}" in body.data.decode()
    link = shown.partition(f'href="/inbox/{path}/attachments/')[2].partition('"')[0]
    file = sandbox.request("GET", f"/inbox/{path}/attachments/{link}")
    assert file.data == b"%PDF"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert b"Content-Type: multipart/" in sandbox.request("GET", f"/inbox/{path}/source").data


def test_pages_allow_no_script_and_no_framing(sandbox: RunningSandbox) -> None:
    policy = sandbox.request("GET", "/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert sandbox.request("GET", "/inbox.css").status == 200


def test_an_unknown_message_is_not_found(sandbox: RunningSandbox) -> None:
    assert sandbox.request("GET", "/inbox/999999").status == 404
