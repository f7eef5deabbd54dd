import json
import multiprocessing
import re
import stat
import threading
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from trackcenter.config.environment import (
    NAMES,
    SERVE_HOST_VARIABLE,
    Price,
    S10Range,
    SettingsError,
    is_loopback,
    read_environment,
    stored_secret_key,
)

PRODUCTION = {
    "TRACKCENTER_PUBLIC_URL": "https://track.example.org",
    "TRACKCENTER_ALLOWED_HOSTS": "track.example.org",
    "TRACKCENTER_SECRET_KEY": "s" * 60,
}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_environment(environ)
    return caught.value.problems


def test_the_operations_guide_has_every_setting_and_no_other() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(documented) == sorted(NAMES)


def test_nothing_set_is_a_development_machine() -> None:
    environment = read_environment({"PATH": "/bin", "HOME": "/root"})
    assert not environment.production
    assert environment.data == Path("var").resolve()
    assert environment.database_url is None
    assert environment.queue == "postgres"
    assert environment.email_provider == "msgraph"
    assert environment.graph_base_url == "https://graph.microsoft.com/v1.0"


def test_an_unknown_name_is_told_with_the_nearest_known_one() -> None:
    assert problems({"TRACKCENTER_GRAPH_BASE_ULR": "x", "TRACKCENTER_ZZZ": "x"}) == [
        "TRACKCENTER_GRAPH_BASE_ULR is not a setting; did you mean TRACKCENTER_GRAPH_BASE_URL?",
        "TRACKCENTER_ZZZ is not a setting; the guide lists the known ones.",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://u:hunter2@localhost/x"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "postgresql://u:hunter2@localhost/x?no_such_parameter=1"),
        ("DATA", "~no-such-user/data"),
        ("GRAPH_CERTIFICATE", "~no-such-user/certificate.pem"),
        ("PUBLIC_URL", "track.example.org"),
        ("PUBLIC_URL", "https://track.example.org/below"),
        ("PUBLIC_URL", "https://user:hunter2@track.example.org"),
        ("PUBLIC_URL", "http://track.example.org:port"),
        ("ALLOWED_HOSTS", "https://track.example.org"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../etc/passwd"),
        ("S10_RANGE", "RR1-RR2DE"),
        ("S10_RANGE", "RR20000000-RR10000000DE"),
        ("S10_RANGE", "RR10000000-RA19999999DE"),
        ("STORAGE_URL", "s3://bucket/x"),
        ("STORAGE_URL", "file://"),
        ("STORAGE_URL", "az://account"),
        ("QUEUE", "rabbit"),
        ("EMAIL_PROVIDER", "smtp"),
        ("GRAPH_BASE_URL", "http://graph.example.org/v1.0"),
        ("GRAPH_AUTHORITY", "http://10.0.0.1"),
        ("GRAPH_MAILBOX", "no address"),
        ("ACS_ENDPOINT", "http://acs.example.org"),
        ("SMS_FROM", "a name that is too long"),
        ("EVENTGRID_SECRETS", "one,two,three"),
        ("EVENTGRID_SECRETS", "same,same"),
        ("GRAPH_CLIENT_STATE", "s" * 129),
        ("EMAIL_PER_MINUTE", "0"),
        ("EMAIL_PER_MINUTE", "many"),
        ("SMS_SEGMENT_PRICE", "0.075"),
        ("SMS_SEGMENT_PRICE", "0,075 EUR"),
        ("LEASE_SECONDS", "-1"),
        ("LEASE_SECONDS", "١٢"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_malformed_value_is_named_but_not_repeated(name: str, value: str) -> None:
    [problem] = problems({f"TRACKCENTER_{name}": value})
    assert problem.startswith(f"TRACKCENTER_{name} ")
    assert problem.endswith(".")
    assert "hunter2" not in problem


def test_every_problem_is_told_at_once() -> None:
    found = problems({"TRACKCENTER_QUEUE": "x", "TRACKCENTER_TIME_ZONE": "x", "TRACKCENTER_X": "x"})
    assert len(found) == 3


def test_well_formed_values_become_what_they_mean() -> None:
    environment = read_environment(
        {
            "TRACKCENTER_DATABASE_URL": "postgresql://u:p%40ss@localhost/x?sslmode=require",
            "TRACKCENTER_S10_RANGE": "RR100000000–RR199999999DE",
            "TRACKCENTER_EVENTGRID_SECRETS": "new, old",
            "TRACKCENTER_GRAPH_BASE_URL": "http://127.0.0.1:9000/v1.0/",
            "TRACKCENTER_ACS_ENDPOINT": "http://[::1]:9000",
            "TRACKCENTER_EMAIL_PER_MINUTE": "30",
            "TRACKCENTER_TIME_ZONE": "Europe/Berlin",
            "TRACKCENTER_STORAGE_URL": "az://account/container",
            "TRACKCENTER_SMS_FROM": "+4930123456",
            "TRACKCENTER_SMS_SEGMENT_PRICE": "0.075 EUR",
            "TRACKCENTER_SENDER_NAME": "",
        }
    )
    assert environment.s10_range == S10Range("RR", 10_000_000, 19_999_999, "DE")
    assert environment.eventgrid_secrets == ("new", "old")
    assert environment.graph_base_url == "http://127.0.0.1:9000/v1.0"
    assert environment.email_per_minute == 30
    assert environment.sms_segment_price == Price(Decimal("0.075"), "EUR")
    assert environment.sender_name == "Track Center"


@pytest.mark.parametrize("value", ["RR10000000-19999999DE", "RR10000000 - RR19999999DE"])
def test_a_postal_range_may_be_written_shorter(value: str) -> None:
    environment = read_environment({"TRACKCENTER_S10_RANGE": value})
    assert environment.s10_range == S10Range("RR", 10_000_000, 19_999_999, "DE")


@pytest.mark.parametrize("missing", ["PUBLIC_URL", "ALLOWED_HOSTS", "SECRET_KEY"])
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "server"])  # noqa: S104
def test_serving_others_needs_its_three_settings(missing: str, host: str) -> None:
    environ = {**PRODUCTION, SERVE_HOST_VARIABLE: host}
    assert read_environment(environ).production
    del environ[f"TRACKCENTER_{missing}"]
    [problem] = problems(environ)
    assert problem.startswith(f"TRACKCENTER_{missing} is missing: ")


def test_an_https_address_is_production_wherever_it_is_served() -> None:
    assert read_environment(PRODUCTION).production
    found = problems({"TRACKCENTER_PUBLIC_URL": "https://track.example.org"})
    assert [problem.split()[0] for problem in found] == [
        "TRACKCENTER_SECRET_KEY",
        "TRACKCENTER_ALLOWED_HOSTS",
    ]


def test_capital_letters_make_no_other_address() -> None:
    environ = {**PRODUCTION, "TRACKCENTER_PUBLIC_URL": "HTTPS://Track.Example.ORG"}
    environment = read_environment(environ)
    assert environment.public_url == "https://track.example.org"
    assert environment.production
    assert environment.https
    del environ["TRACKCENTER_SECRET_KEY"]
    [problem] = problems(environ)
    assert problem.startswith("TRACKCENTER_SECRET_KEY is missing: ")


def test_a_folder_that_cannot_hold_the_secret_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match=r"TRACKCENTER_DATA cannot be used: .* choose a"):
        stored_secret_key(tmp_path / "file" / "keys")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_loopback_is_not_production(host: str) -> None:
    assert is_loopback(host)
    assert not read_environment({SERVE_HOST_VARIABLE: host}).production


def test_settings_that_need_each_other_are_told() -> None:
    [problem] = problems({"TRACKCENTER_QUEUE": "servicebus"})
    assert "SERVICEBUS_CONNECTION_STRING is missing" in problem
    found = problems({"TRACKCENTER_OIDC_SERVER_URL": "https://login.example.org"})
    assert len(found) == 2


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("sb://127.0.0.1", "must begin with Endpoint=sb://"),
        ("Endpoint=sb://bus.example.org/;SharedAccessKeyName=R", "must hold SharedAccessKeyName"),
        (
            "Endpoint=sb://bus.example.org/;SharedAccessKeyName=R;SharedAccessKey=hush=;"
            "EntityPath=email",
            "not one topic's",
        ),
        (
            "Endpoint=sb://bus.example.org;SharedAccessKeyName=R;SharedAccessKey=hush=;"
            "UseDevelopmentEmulator=true;",
            "a loopback address only",
        ),
    ],
)
def test_a_connection_string_of_the_service_bus_is_one(value: str, words: str) -> None:
    name = "TRACKCENTER_SERVICEBUS_CONNECTION_STRING"
    [problem] = problems({name: value})
    assert words in problem
    assert "hush" not in problem
    fit = "endpoint=sb://127.0.0.1:5673;SharedAccessKeyName=R;SharedAccessKey=K="
    assert read_environment({name: f"{fit};UseDevelopmentEmulator=true;"})


def test_secrets_do_not_show_in_a_traceback() -> None:
    assert "s" * 60 not in repr(read_environment(PRODUCTION))


def test_every_setting_of_the_guide_is_known() -> None:
    guide = """DATA DATABASE_URL SECRET_KEY ALLOWED_HOSTS PUBLIC_URL SENDER_NAME SENDER_ADDRESS
        PAYEE_NAME TIME_ZONE S10_RANGE STORAGE_URL AZURE_STORAGE_KEY AZURE_STORAGE_ENDPOINT QUEUE
        SERVICEBUS_CONNECTION_STRING EMAIL_PROVIDER GRAPH_BASE_URL GRAPH_AUTHORITY GRAPH_TENANT_ID
        GRAPH_CLIENT_ID GRAPH_CLIENT_SECRET GRAPH_MAILBOX GRAPH_CLIENT_STATE ACS_ENDPOINT
        ACS_ACCESS_KEY SMS_FROM EMAIL_FROM EVENTGRID_SECRETS OIDC_SERVER_URL OIDC_CLIENT_ID
        OIDC_CLIENT_SECRET OIDC_ADMIN_GROUP EMAIL_PER_MINUTE SMS_PER_MINUTE"""
    assert set(guide.split()) <= set(NAMES)


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    key = stored_secret_key(tmp_path / "keys")
    assert len(key) >= 64
    assert stored_secret_key(tmp_path / "keys") == key
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "keys" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_threads_that_start_at_once_agree_on_the_secret_key(tmp_path: Path) -> None:
    for round_ in range(50):
        start = threading.Barrier(4)
        keys: list[str] = []

        def race(
            folder: Path = tmp_path / str(round_),
            start: threading.Barrier = start,
            keys: list[str] = keys,
        ) -> None:
            start.wait()
            keys.append(stored_secret_key(folder))

        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(keys) == 4
        assert len(set(keys)) == 1, json.dumps(keys)


def test_processes_that_start_at_once_agree_on_the_secret_key(tmp_path: Path) -> None:
    folders = [tmp_path / str(number // 3) for number in range(60)]
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        keys = list(pool.map(stored_secret_key, folders))
    assert len(set(keys)) == 20
    assert all(len(set(keys[n : n + 3])) == 1 for n in range(0, 60, 3))
