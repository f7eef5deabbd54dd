"""Microsoft's own clients talk to the sandbox, so the sandbox speaks the wire they speak."""

import asyncio
import base64
from typing import Any

import pytest
from azure.communication.email import EmailClient
from azure.communication.sms import SmsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from msgraph_core import GraphClientFactory

from tests.sandbox.fixture import MAILBOX, RunningSandbox, wait_for
from trackcenter.sandbox.options import ACS_ACCESS_KEY


def test_the_sms_client_sends_and_reads_each_recipients_result(sandbox: RunningSandbox) -> None:
    client = SmsClient(sandbox.url, AzureKeyCredential(ACS_ACCESS_KEY))
    good, bad = client.send(
        from_="+4930123456",
        to=["+4930120002", "not a number"],
        message="Your bill is ready",
        enable_delivery_report=True,
        tag="a tag",
    )
    assert good.successful
    assert good.message_id
    assert (bad.successful, bad.http_status_code) == (False, 400)
    (message,) = sandbox.messages()
    assert (message["channel"], message["to"]) == ("SMS", "+4930120002")
    assert message["messageId"] == good.message_id


def test_a_wrong_key_is_refused(sandbox: RunningSandbox) -> None:
    wrong = base64.b64encode(b"wrong").decode()
    client = SmsClient(sandbox.url, AzureKeyCredential(wrong))
    with pytest.raises((ClientAuthenticationError, HttpResponseError)) as refused:
        client.send(from_="+4930123456", to="+4930120002", message="x")
    assert refused.value.status_code == 401


def test_the_email_client_sends_and_polls_its_operation(sandbox: RunningSandbox) -> None:
    client = EmailClient(sandbox.url, AzureKeyCredential(ACS_ACCESS_KEY))
    poller = client.begin_send(
        {
            "senderAddress": "bills@example.org",
            "recipients": {"to": [{"address": "silent@example.net", "displayName": "Tenant"}]},
            "content": {"subject": "Your bill", "plainText": "42", "html": "<p>42</p>"},
            "attachments": [
                {
                    "name": "bill.pdf",
                    "contentType": "application/pdf",
                    "contentInBase64": base64.b64encode(b"%PDF-1.7").decode(),
                }
            ],
        },
        polling_interval=0,
    )
    result = poller.result(30)
    assert result["status"] == "Succeeded"
    (message,) = sandbox.messages()
    assert (message["to"], message["messageId"]) == ("silent@example.net", result["id"])


def test_the_graph_client_drafts_sends_and_reads_mail(sandbox: RunningSandbox) -> None:
    async def send() -> Any:
        client = GraphClientFactory.create_with_default_middleware(host=sandbox.url)
        headers = {
            "Authorization": f"Bearer {sandbox.token()}",
            "Prefer": 'IdType="ImmutableId"',
        }
        async with client:
            mailbox = f"{sandbox.url}/v1.0/users/{MAILBOX}"
            draft = await client.post(
                f"{mailbox}/messages",
                headers=headers,
                json={
                    "subject": "Your bill",
                    "body": {"contentType": "html", "content": "<p>42</p>"},
                    "toRecipients": [{"emailAddress": {"address": "bounce@example.net"}}],
                    "isDeliveryReceiptRequested": True,
                },
            )
            assert draft.status_code == 201, draft.text
            sent = await client.post(
                f"{mailbox}/messages/{draft.json()['id']}/send", headers=headers
            )
            assert sent.status_code == 202, sent.text
            await asyncio.to_thread(wait_for, sandbox.inbox)
            inbox = await client.get(
                f"{mailbox}/mailFolders/inbox/messages?$top=1", headers=headers
            )
            return draft.json(), inbox.json()

    draft, inbox = asyncio.run(send())
    assert len(inbox["value"]) == 1
    (message,) = sandbox.messages()
    assert message["internetMessageId"] == draft["internetMessageId"]
