"""What `trackcenter jobs …` prints and does."""

import json
from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec

from trackcenter.access.models import User
from trackcenter.access.visible import EVERY_BUILDING
from trackcenter.delivery.dead_letters import services
from trackcenter.delivery.dead_letters.selectors import get_dead_letter
from trackcenter.kit.errors import NotFound
from trackcenter.queue import dead_letters
from trackcenter.queue.models import DeadLetterDecision


def dead_lines() -> Iterator[str]:
    """Two lines a dead letter, newest first: what it is, and why it died."""
    for letter in dead_letters.every_letter():
        runs = "1 run" if letter.runs == 1 else f"{letter.runs} runs"
        message = json.dumps(dict(letter.message), ensure_ascii=False)
        yield f"{letter.id}  {letter.queue}  {letter.task}  {runs}  {message}"
        yield f"    {letter.at:%Y-%m-%d %H:%M}  {letter.reason}"


def show(letter_id: str) -> str:
    """One dead letter as the API shows it. Raises `NotFound`."""
    letter = get_dead_letter(EVERY_BUILDING, letter_id)
    return msgspec.json.format(msgspec.json.encode(letter)).decode()


def requeue(ids: Sequence[str] | None, username: str | None) -> int:
    """Queue these dead letters again, or all of them. Says how many."""
    user_id = _user_id(username) if username else None
    if not ids:
        return dead_letters.requeue_all(user_id=user_id)
    for letter_id in ids:
        dead_letters.requeue(letter_id, user_id=user_id)
    return len(ids)


def discard(letter_id: str, note: str, username: str) -> str:
    """Give one up for good, in somebody's name."""
    decision = services.discard(letter_id, note, user_id=_user_id(username))
    return f"Dead letter {decision.letter_id} is discarded; record {decision.id}."


def decided_lines() -> Iterator[str]:
    """Two lines a decision, newest first."""
    for one in DeadLetterDecision.objects.select_related("user").order_by("-id"):
        who = one.user.username if one.user else "at the command line"
        message = json.dumps(one.message, ensure_ascii=False)
        yield f"{one.at:%Y-%m-%d %H:%M}  {one.verdict}  {who}  {one.note}".rstrip()
        yield f"    {one.letter_id}  {one.queue}  {one.task}  {message}  {one.reason}"


def _user_id(username: str) -> UUID:
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound(f"there is no user {username}")
    return user.pk
