"""A time-stamp is asked for when an authority is set, and never stands in the way of a seal."""

import pytest
from pytest_django import Settings

from tests.communications.factories import a_bill
from tests.evidence.authority import running_authority
from trackcenter.evidence.models import Seal, TimeStamp
from trackcenter.evidence.seals import seal
from trackcenter.evidence.stamps import NoTimeStamp, stamp
from trackcenter.evidence.tasks import seal_events
from trackcenter.evidence.verify import verify

pytestmark = pytest.mark.django_db


def test_no_authority_no_time_stamp() -> None:
    a_bill()
    seal_events()
    assert Seal.objects.count() == 1
    assert not TimeStamp.objects.exists()


def test_a_seal_is_stamped_once(settings: Settings) -> None:
    a_bill()
    with running_authority() as url:
        settings.TIME_STAMP_URL = url
        seal_events()
        seal_events()
    stamped = TimeStamp.objects.get()
    assert f"{stamped.stamped_at:%Y-%m-%d %H:%M:%S}" == "2026-02-03 04:05:06"
    assert stamped.authority == url
    assert verify().finding is None


@pytest.mark.parametrize("broken", [True, False])
def test_without_an_answer_the_seal_stands_and_is_stamped_later(
    settings: Settings, broken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    a_bill()
    with running_authority(broken=True) as url:
        settings.TIME_STAMP_URL = url if broken else "http://127.0.0.1:9/"
        seal_events()
    assert Seal.objects.count() == 1
    assert "no time-stamp" in caplog.text
    with running_authority() as url:
        settings.TIME_STAMP_URL = url
        seal_events()
    assert TimeStamp.objects.get().seal == Seal.objects.get()


def test_an_answer_to_another_question_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.evidence import authority

    answer = authority.answer
    monkeypatch.setattr(authority, "answer", lambda _, *rest: answer(bytes(32), *rest))
    a_bill()
    made = seal()
    assert made is not None
    with running_authority() as url:
        settings.TIME_STAMP_URL = url
        with pytest.raises(NoTimeStamp, match="another question"):
            stamp(made)
