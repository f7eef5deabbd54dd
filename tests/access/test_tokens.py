from datetime import timedelta

import pytest

from tests.access.people import PASSWORD, Place
from trackcenter.access import commands, services
from trackcenter.access.models import ApiToken, Role, User
from trackcenter.access.tokens import PREFIX, digest, find_token
from trackcenter.kit.clock import now
from trackcenter.kit.errors import Conflict, InputError, NotFound

pytestmark = pytest.mark.django_db


def test_only_the_digest_of_a_token_is_kept(admin: User) -> None:
    token, secret = services.create_token(admin.username)
    assert secret.startswith(PREFIX)
    assert len(secret) == len(PREFIX) + 43  # 256 bits in base64
    assert token.secret_sha256 == digest(secret)
    row = ApiToken.objects.values().get(pk=token.pk)
    assert secret not in str(row)


def test_a_token_ends_when_its_days_are_over(admin: User) -> None:
    token, secret = services.create_token(admin.username, days=30)
    assert token.expires_at is not None
    assert token.expires_at - token.created_at == pytest.approx(
        timedelta(days=30), abs=timedelta(seconds=5)
    )
    assert find_token(secret) is not None
    ApiToken.objects.filter(pk=token.pk).update(expires_at=now())
    assert find_token(secret) is None


def test_a_revoked_token_is_unknown_and_stays_revoked(admin: User) -> None:
    token, secret = services.create_token(admin.username)
    first = services.revoke_token(token.pk).revoked_at
    assert find_token(secret) is None
    assert services.revoke_token(token.pk).revoked_at == first
    with pytest.raises(NotFound):
        services.revoke_token(admin.pk)


def test_the_last_use_is_noted_once_a_minute(admin: User) -> None:
    token, secret = services.create_token(admin.username)

    def last_use() -> object:
        return ApiToken.objects.values_list("last_used_at", flat=True).get(pk=token.pk)

    assert last_use() is None
    find_token(secret)
    first = last_use()
    assert first is not None
    find_token(secret)
    assert last_use() == first
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=now() - timedelta(seconds=61))
    find_token(secret)
    assert last_use() != first


def test_a_token_for_nobody_yet_makes_the_user(here: Place) -> None:
    services.create_token("robot")
    assert User.objects.get(username="robot").role == Role.ADMIN
    services.create_token("reader", buildings=["HERE"])
    reader = User.objects.get(username="reader")
    assert reader.role == Role.VIEWER
    assert [row.building_id for row in reader.building_grants.all()] == [here.building.pk]
    assert not reader.has_usable_password()


def test_a_token_never_reaches_further_than_its_user(viewer: User, elsewhere: Place) -> None:
    with pytest.raises(Conflict, match="viewer"):
        services.create_token(viewer.username, role=Role.ADMIN)
    with pytest.raises(Conflict, match="may not read"):
        services.create_token(viewer.username, buildings=["ELSEWHERE"])
    assert not ApiToken.objects.exists()


def test_an_unknown_building_is_named_and_nothing_is_made(db: None) -> None:
    with pytest.raises(InputError, match="NOWHERE"):
        services.create_token("robot", buildings=["NOWHERE"])
    assert not User.objects.exists()


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_days_that_make_no_sense_are_refused(days: int, admin: User) -> None:
    with pytest.raises(InputError, match="36500"):
        services.create_token(admin.username, days=days)


def test_names_that_differ_in_case_are_one_user(admin: User) -> None:
    with pytest.raises(Conflict):
        services.create_user("ANNA", role=Role.VIEWER)
    services.create_token("aNNa")
    assert User.objects.count() == 1


def test_createadmin_makes_and_remakes_an_administrator(viewer: User) -> None:
    assert "can sign in" in commands.createadmin("olga", PASSWORD)
    assert "there already" in commands.createadmin("Victor", "another long phrase")
    viewer.refresh_from_db()
    assert viewer.role == Role.ADMIN
    assert viewer.check_password("another long phrase")


@pytest.mark.parametrize("password", ["short", "password", "1234567890"])
def test_an_easy_password_is_refused(password: str) -> None:
    with pytest.raises(InputError, match="password"):
        commands.createadmin("olga", password)


def test_a_name_no_field_takes_is_refused() -> None:
    with pytest.raises(InputError, match="username"):
        commands.createadmin("two words", PASSWORD)


def test_the_list_of_tokens_tells_all_but_the_token(admin: User, here: Place) -> None:
    secret = commands.token_create(admin.username, role="viewer", buildings=["HERE"], days=None)
    gone, _ = services.create_token(admin.username, days=2)
    commands.token_revoke(str(gone.pk))
    lines = list(commands.token_list())
    assert secret not in "\n".join(lines)
    assert "administrator" in lines[0]
    assert "revoked" in lines[0]
    assert "viewer of some buildings  does not expire, never used" in lines[1]
    with pytest.raises(InputError, match="role"):
        commands.token_create(admin.username, role="king")
    with pytest.raises(InputError, match="token list"):
        commands.token_revoke("everything")
