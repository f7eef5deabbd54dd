"""Azure Communication Services beyond the common promises."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from tests.contracts.rigs import AcsMailRig, AcsSmsRig, acs_config, with_wrong_secret
from tests.sandbox.fixture import RunningSandbox, wait_for
from trackcenter.providers.acs.email import AcsEmail
from trackcenter.providers.acs.signing import signed_headers
from trackcenter.providers.acs.sms import AcsSms
from trackcenter.providers.base import OutcomeUnknown, ProviderFailure
from trackcenter.providers.wire import Pool


@pytest.fixture
def rig(sandbox: RunningSandbox) -> AcsSmsRig:
    return AcsSmsRig(sandbox)


def test_a_repeat_within_the_window_is_the_same_message(rig: AcsSmsRig) -> None:
    first = rig.hand_over()
    again = rig.hand_over()
    assert again.provider_message_id == first.provider_message_id
    assert len(rig.accepted()) == 1


def test_an_unresolved_message_older_than_the_window_is_never_repeated(rig: AcsSmsRig) -> None:
    rig.hand_over()
    rig.sandbox.clear()
    rig.age = timedelta(minutes=4, seconds=1)
    with pytest.raises(OutcomeUnknown) as unknown:
        rig.hand_over()
    assert unknown.value.final
    assert rig.sandbox.messages() == []


def test_a_refused_number_is_permanent_although_the_request_was_accepted(rig: AcsSmsRig) -> None:
    rig.to = "+49"
    with pytest.raises(ProviderFailure) as refused:
        rig.hand_over()
    assert refused.value.permanent
    assert not refused.value.unknown
    assert refused.value.raw


@pytest.mark.parametrize(
    ("number", "kind"), [("+4915112345678", "DELIVERED"), ("+4915110000001", "FAILED")]
)
def test_a_report_that_never_came_can_be_asked_for(rig: AcsSmsRig, number: str, kind: str) -> None:
    rig.to = number
    accepted = rig.hand_over()
    sms = AcsSms(acs_config(rig.sandbox), Pool())

    def settled() -> bool:
        report = sms.delivery_report(accepted.provider_message_id)
        return report is not None and report.kind == kind

    wait_for(settled)
    assert sms.delivery_report("Outgoing_20000000000000_noam") is None


def test_a_wrong_key_is_ours_to_mend(sandbox: RunningSandbox) -> None:
    rig = AcsSmsRig(sandbox)
    _, config = with_wrong_secret(sandbox)
    with pytest.raises(ProviderFailure) as refused:
        AcsSms(config, Pool()).hand_over(rig.order(), rig.marks)
    assert refused.value.misconfigured
    assert not refused.value.permanent


def test_a_mail_operation_can_be_followed(sandbox: RunningSandbox) -> None:
    rig = AcsMailRig(sandbox)
    accepted = rig.hand_over()
    mail = AcsEmail(acs_config(sandbox), Pool())

    def taken() -> bool:
        operation = mail.operation(accepted.provider_message_id)
        return operation is not None and operation.state == "taken"

    wait_for(taken)
    assert mail.operation("00000000-0000-4000-8000-000000000000") is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://contoso.example/sms?api-version=2026-01-23", "contoso.example"),
        ("http://127.0.0.1:8123/deliveryReports/a%2Fb?api-version=1&x=%20", "127.0.0.1:8123"),
        ("http://[::1]:8123/sms", "[::1]:8123"),
    ],
)
def test_the_signature_is_the_documented_one(url: str, host: str) -> None:
    key, body = b"a key of bytes \x00\xff", '{"message":"Grüße"}'.encode()
    moment = datetime(2026, 11, 23, 8, 5, 9, tzinfo=UTC)
    headers = signed_headers("POST", url, body, key=key, at=moment)
    # Written again from the documentation, step by step.
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    target = url[url.index("/", len("https://")) :]
    words = f"POST\n{target}\nMon, 23 Nov 2026 08:05:09 GMT;{host};{digest}"
    signature = base64.b64encode(hmac.digest(key, words.encode(), "sha256")).decode()
    assert headers["x-ms-date"] == "Mon, 23 Nov 2026 08:05:09 GMT"
    assert headers["x-ms-content-sha256"] == digest
    assert headers["Host"] == host
    assert headers["Authorization"] == (
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + signature
    )
