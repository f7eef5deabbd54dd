"""The environment, read once: every `TRACKCENTER_` variable into one frozen value.

A name nobody knows, or a value that cannot be what it says, stops the start with a sentence that
names the variable. Nothing here needs Django, so that the command line can read its settings (and
complain) before anything else is loaded.
"""

import base64
import binascii
import contextlib
import difflib
import ipaddress
import os
import re
import secrets
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

PREFIX = "TRACKCENTER_"

SERVE_HOST_VARIABLE = "_TRACKCENTER_SERVE_HOST"
"""Set by `trackcenter serve` for its own worker processes: the address they listen on."""

TEST_ONLY = frozenset({"TEST_CHROMIUM", "TEST_DATABASE_URL"})
"""Read by the test suite alone; known here so that it does not stop a start."""


class SettingsError(Exception):
    """The environment cannot be used. One sentence a problem, each naming its variable."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Malformed(ValueError):
    """One value is not what its name says; the message completes 'TRACKCENTER_X …'."""


@dataclass(frozen=True, slots=True)
class S10Range:
    """The block of postal numbers (UPU S10) that letters may use: serials without check digit."""

    service: str
    first: int
    last: int
    country: str


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of money; the currency is an ISO 4217 code."""

    amount: Decimal
    currency: str


# Readers: the text of one variable → its value, or Malformed saying what it should have been.


def _text(value: str) -> str:
    return value


def _folder(value: str) -> Path:
    try:
        return Path(value).expanduser().resolve()
    except (RuntimeError, OSError):  # of ~name: there is no such user
        raise Malformed("must be a path on this machine") from None


def _positive(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 1_000_000:
        raise Malformed("must be a whole number above 0")
    return int(value)


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > 100:
        raise Malformed("must be a whole number from 0 to 100")
    return int(value)


def _one_of(*words: str) -> Callable[[str], Any]:
    def read(value: str) -> str:
        if value not in words:
            raise Malformed(f"must be one of {', '.join(words)}")
        return value

    return read


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _http_url(value: str) -> str:
    """An http(s) address without credentials, query or fragment; no slash at its end."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  reading it checks it
    except ValueError:
        raise Malformed("must be an address such as https://example.org") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value):
        raise Malformed("must be an address such as https://example.org")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Malformed("must be an address without user, query or fragment")
    return parts.geturl().rstrip("/")  # the scheme in small letters, as it is compared


def _public_url(value: str) -> str:
    parts = urlsplit(_http_url(value))
    if parts.path:
        raise Malformed("must be an address without a path, such as https://track.example.org")
    return parts._replace(netloc=parts.netloc.lower()).geturl()  # as browsers send it


def _provider_url(value: str) -> str:
    """Secrets travel to providers: plain http only where they cannot leave the machine."""
    url = _http_url(value)
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Malformed("must be https (plain http is for loopback addresses only)")
    return url


def _service_bus(value: str) -> str:
    """A connection string for a whole namespace; nothing of it is repeated in an answer."""
    pairs = {
        name.strip().lower(): word.strip()
        for name, separator, word in (part.partition("=") for part in value.split(";"))
        if separator
    }
    parts = urlsplit(pairs.get("endpoint", ""))
    if parts.scheme != "sb" or not parts.hostname:
        raise Malformed("must begin with Endpoint=sb://NAMESPACE.servicebus.windows.net/;…")
    if not (pairs.get("sharedaccesskeyname") and pairs.get("sharedaccesskey")):
        raise Malformed("must hold SharedAccessKeyName=… and SharedAccessKey=…")
    if "entitypath" in pairs:
        raise Malformed("must be the namespace's, not one topic's: it has an EntityPath")
    emulator = pairs.get("usedevelopmentemulator", "").lower() == "true"
    if emulator and not is_loopback(parts.hostname):
        raise Malformed("may say UseDevelopmentEmulator=true for a loopback address only")
    return value


def _database_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("postgresql", "postgres"):
        raise Malformed("must be an address such as postgresql://user:password@host:5432/name")
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        known = conninfo_to_dict(value)
    except ProgrammingError:
        # The driver's own words may repeat the password.
        raise Malformed("is not an address PostgreSQL understands") from None
    if not known.get("dbname"):
        raise Malformed("must name a database: postgresql://user:password@host:5432/name")
    return value


def _storage_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and len(parts.path) > 1:
        return value
    if re.fullmatch(r"az://[a-z0-9]{3,24}/[a-z0-9](-?[a-z0-9]){2,62}/?", value):
        return value
    if parts.scheme == "az":
        raise Malformed(
            "must be az://account/container: an account has 3 to 24 small letters and digits, a "
            "container 3 to 63, which single hyphens may divide"
        )
    raise Malformed("must be file:///folder or az://account/container")


def _base64(value: str) -> str:
    try:
        if base64.b64decode(value, validate=True):
            return value
    except (binascii.Error, ValueError):
        pass
    raise Malformed("must be a key as the portal shows it (base64)")


def _identity(value: str) -> str:
    if value != "system" and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        raise Malformed("must be system, or the client id of a user-assigned identity")
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _hosts(value: str) -> tuple[str, ...]:
    hosts = _words(value)
    for host in hosts:
        # As in Django: a name, .example.org for its subdomains too, or * (doctor advises against).
        if not re.fullmatch(r"\*|\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\]", host):
            raise Malformed("must be host names joined by commas, without scheme or port")
    return hosts


def _secrets(value: str) -> tuple[str, ...]:
    found = _words(value)
    if len(found) not in (1, 2) or len(set(found)) != len(found):
        raise Malformed("must be one secret, or two different ones joined by a comma (rotation)")
    return found


def _client_state(value: str) -> str:
    if len(value) > 128:
        raise Malformed("must not be longer than 128 characters (Microsoft's limit)")
    return value


def _old_secrets(value: str) -> tuple[str, ...]:
    found = _words(value)
    if len(set(found)) != len(found):
        raise Malformed("must be earlier secret keys joined by commas, each once")
    return found


def _clamd(value: str) -> str:
    """`host:port`, or the path of a Unix socket."""
    host, _, port = value.rpartition(":")
    if not value.startswith("/") and not (host and port.isascii() and port.isdigit()):
        raise Malformed("must be host:port or the path of clamd's socket")
    return value


def _verifier_keys(value: str) -> tuple[str, ...]:
    """Public keys as `trackcenter audit key` prints them."""
    found = _words(value)
    for key in found:
        if not re.fullmatch(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", key):
            raise Malformed("must be keys as `trackcenter audit key` prints them, joined by commas")
    return found


def _time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Malformed("must be a time zone such as Europe/Berlin") from None
    return value


def _address(value: str) -> str:
    try:
        return validate_email(
            value, check_deliverability=False, test_environment=True, allow_smtputf8=False
        ).normalized
    except EmailNotValidError:
        raise Malformed("must be an e-mail address") from None


def _file(value: str) -> Path:
    path = _folder(value)
    if not path.is_file():
        raise Malformed("must name a file that exists")
    return path


def _mailboxes(value: str) -> tuple[tuple[str, str], ...]:
    """`CODE=mailbox` joined by commas; a code stands once."""
    found: dict[str, str] = {}
    for pair in _words(value):
        code, equals, mailbox = (part.strip() for part in pair.partition("="))
        if not equals or not code or code in found:
            raise Malformed("must look like B1=billing@example.org,B2=rent@example.org")
        found[code] = _address(mailbox)
    return tuple(found.items())


def _sms_sender(value: str) -> str:
    """E.164, a short code, or an alphanumeric sender id, as Azure Communication Services takes."""
    if re.fullmatch(r"\+[1-9]\d{6,14}|\d{3,8}", value):
        return value
    if re.fullmatch(r"[A-Za-z0-9 ]{1,11}", value) and re.search(r"[A-Za-z]", value):
        return value
    raise Malformed("must be a number such as +4930123456 or a name of up to 11 letters and digits")


def _s10_range(value: str) -> S10Range:
    """`RR100000000-RR199999999DE`: nine digits count their last, the check digit, as unsaid."""
    found = re.fullmatch(
        r"([A-Z]{2})(\d{8})\d?([A-Z]{2})?\s*[-–—]\s*([A-Z]{2})?(\d{8})\d?([A-Z]{2})",
        value.strip(),
    )
    if found is None:
        raise Malformed("must look like RR100000000-RR199999999DE")
    service, first, early_country, service_again, last, country = found.groups()
    if service_again not in (None, service) or early_country not in (None, country):
        raise Malformed("must have the same service letters and country at both ends")
    if int(first) > int(last):
        raise Malformed("must begin with the smaller number")
    return S10Range(service, int(first), int(last), country)


def _price(value: str) -> Price:
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,6})?) ([A-Z]{3})", value)
    if found is None:
        raise Malformed("must be an amount and a currency such as 0.075 EUR")
    return Price(Decimal(found[1]), found[2])


def _setting(read: Callable[[str], Any], meaning: str, default: Any = None) -> Any:
    """A dataclass field that knows how to read its variable."""
    return field(default=default, metadata={"read": read, "meaning": meaning})


LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


# RUF009 warns of defaults made by a call; `_setting` is `field` with our own metadata.
# ruff: noqa: RUF009
@dataclass(frozen=True, slots=True)
class Environment:
    """Every setting, typed. A field's upper-case name behind `TRACKCENTER_` is its variable."""

    data: Path = _setting(_folder, "folder of the embedded database, files and keys", Path("var"))
    database_url: str | None = _setting(
        _database_url, "an external PostgreSQL; unset: the embedded one"
    )
    secret_key: str | None = _setting(_text, "signs sessions and links")
    secret_key_fallbacks: tuple[str, ...] = _setting(
        _old_secrets, "earlier secret keys, still believed while sessions and links run out", ()
    )
    allowed_hosts: tuple[str, ...] = _setting(_hosts, "host names this server answers to", ())
    public_url: str | None = _setting(_public_url, "address people and providers use")
    trusted_proxies: int = _setting(
        _count, "proxies in front whose X-Forwarded-For is believed (0: none)", 0
    )

    sender_name: str = _setting(_text, "sender of letters and mails", "Track Center")
    sender_address: str | None = _setting(_text, "postal address of the sender")
    payee_name: str | None = _setting(_text, "payee where a bill names none")
    time_zone: str = _setting(_time_zone, "time zone of letters and screens", "UTC")
    s10_range: S10Range | None = _setting(_s10_range, "postal numbers for registered letters")

    storage_url: str | None = _setting(_storage_url, "where files are kept; unset: under DATA")
    azure_storage_key: str | None = _setting(_base64, "account key; unset: managed identity")
    azure_storage_identity: str = _setting(
        _identity,
        "`system`, or a user-assigned identity's client id, in place of the key",
        "system",
    )
    azure_storage_endpoint: str | None = _setting(_provider_url, "a stand-in for Azure Blob")

    queue: Literal["postgres", "servicebus"] = _setting(
        _one_of("postgres", "servicebus"), "where jobs wait", "postgres"
    )
    servicebus_connection_string: str | None = _setting(_service_bus, "Azure Service Bus")

    email_provider: Literal["msgraph", "acs"] = _setting(
        _one_of("msgraph", "acs"), "who carries the mail", "msgraph"
    )
    graph_base_url: str = _setting(
        _provider_url, "Microsoft Graph, with version", "https://graph.microsoft.com/v1.0"
    )
    graph_authority: str = _setting(
        _provider_url, "where Graph's tokens come from", "https://login.microsoftonline.com"
    )
    graph_tenant_id: str | None = _setting(_text, "Entra tenant")
    graph_client_id: str | None = _setting(_text, "registered application")
    graph_client_secret: str | None = _setting(_text, "its secret")
    graph_certificate: Path | None = _setting(
        _file, "certificate with its key (PEM or PFX), in place of the secret"
    )
    graph_certificate_password: str | None = _setting(_text, "of the certificate's key")
    graph_managed_identity: str | None = _setting(
        _text, "`system`, or a user-assigned identity's client id, in place of the secret"
    )
    graph_mailbox: str | None = _setting(_address, "mailbox that sends and receives reports")
    graph_mailboxes: tuple[tuple[str, str], ...] = _setting(
        _mailboxes, "buildings that send from a mailbox of their own: CODE=mailbox,…", ()
    )
    graph_concurrency: int = _setting(
        _positive, "calls to Graph under way at once, over all processes", 4
    )
    graph_message_trace: Literal["on", "off"] = _setting(
        _one_of("on", "off"), "ask Exchange's message trace (ExchangeMessageTrace.Read.All)", "off"
    )
    graph_client_state: str | None = _setting(
        _client_state, "secret that Graph's notifications repeat, at most 128 characters"
    )
    acs_endpoint: str | None = _setting(_provider_url, "Azure Communication Services")
    acs_access_key: str | None = _setting(_text, "its access key (base64)")
    sms_from: str | None = _setting(_sms_sender, "number or name that text messages come from")
    email_from: str | None = _setting(_address, "sender of mails by ACS")
    eventgrid_secrets: tuple[str, ...] = _setting(
        _secrets, "secrets of the Event Grid webhooks, one or two", ()
    )
    clamd: str | None = _setting(
        _clamd, "virus scanner for uploads, host:port or its socket; unset: none"
    )

    seal_key: Path | None = _setting(
        _file, "file of the key that seals are signed with; unset: made under DATA"
    )
    seal_key_fallbacks: tuple[str, ...] = _setting(
        _verifier_keys, "public halves of earlier seal keys, whose seals still count", ()
    )
    time_stamp_url: str | None = _setting(
        _http_url, "time-stamping authority (RFC 3161) asked about each seal; unset: none"
    )

    oidc_server_url: str | None = _setting(_provider_url, "OpenID provider")
    oidc_client_id: str | None = _setting(_text, "our name there")
    oidc_client_secret: str | None = _setting(_text, "our secret there")
    oidc_admin_group: str | None = _setting(_text, "group whose members are administrators")

    email_per_minute: int | None = _setting(_positive, "cap on mails a minute; unset: none")
    email_per_day: int | None = _setting(
        _positive, "cap on recipients of a mailbox in 24 hours; unset: none"
    )
    sms_per_minute: int | None = _setting(_positive, "cap on text messages a minute; unset: none")
    sms_segment_price: Price | None = _setting(
        _price, "what a segment of a text message costs, such as 0.075 EUR: a hint before sending"
    )

    report_after_minutes: int = _setting(
        _positive, "ask the provider when a report has not come by then", 15
    )
    lease_seconds: int = _setting(
        _positive, "a send whose worker is silent for so long is taken over", 30
    )
    worker_concurrency: int = _setting(_positive, "jobs one worker runs at once", 8)
    log_level: LogLevel = _setting(
        _one_of("DEBUG", "INFO", "WARNING", "ERROR"), "what the log tells", "INFO"
    )

    production: bool = field(default=False, metadata={"derived": True})
    """Reachable by others: bound to a non-loopback address, or known under an https address."""

    @property
    def https(self) -> bool:
        """Whether people reach us over TLS (a proxy in front ends it)."""
        return self.public_url is not None and self.public_url.startswith("https://")

    def __repr__(self) -> str:
        # The default would print every secret into a traceback.
        return f"<Environment data={str(self.data)!r} production={self.production}>"


_SETTINGS = {
    item.name.upper(): item for item in fields(Environment) if "derived" not in item.metadata
}

NAMES = tuple(_SETTINGS)
"""Every setting's name without the prefix, in the order of the documentation."""


def meaning(name: str) -> str:
    """What a setting means, in a few words."""
    return str(_SETTINGS[name].metadata["meaning"])


def read_environment(environ: Mapping[str, str] | None = None) -> Environment:
    """Read and check every `TRACKCENTER_` variable of `environ` (default: the process's own).

    An empty value counts as unset. Raises `SettingsError` with one sentence a problem; values are
    never repeated in it, as they may be secret.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values: dict[str, Any] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        if name in TEST_ONLY:
            continue
        if name not in _SETTINGS:
            problems.append(_unknown(variable, name))
            continue
        text = environ[variable].strip()
        if not text:
            continue
        try:
            values[name.lower()] = _SETTINGS[name].metadata["read"](text)
        except Malformed as problem:
            problems.append(f"{variable} {problem}.")
    values.setdefault("data", Path("var").resolve())
    serve_host = environ.get(SERVE_HOST_VARIABLE, "127.0.0.1")
    environment = Environment(
        **values,
        production=not is_loopback(serve_host)
        or str(values.get("public_url", "")).startswith("https://"),
    )
    problems.extend(_contradictions(environment, serve_host))
    if problems:
        raise SettingsError(problems)
    return environment


def _unknown(variable: str, name: str) -> str:
    near = difflib.get_close_matches(name, _SETTINGS, n=1, cutoff=0.6)
    hint = f"; did you mean {PREFIX}{near[0]}?" if near else "; the guide lists the known ones."
    return f"{variable} is not a setting{hint}"


def _contradictions(environment: Environment, serve_host: str) -> list[str]:
    """Settings that are fine alone but not together."""
    problems: list[str] = []
    if environment.production:
        why = (
            "an https TRACKCENTER_PUBLIC_URL"
            if environment.https
            else f"serving on {serve_host}, which others can reach,"
        )
        problems.extend(
            f"{PREFIX}{name.upper()} is missing: {why} is production and needs it."
            for name in ("secret_key", "allowed_hosts", "public_url")
            if not getattr(environment, name)
        )
    if environment.queue == "servicebus" and not environment.servicebus_connection_string:
        problems.append(
            f"{PREFIX}SERVICEBUS_CONNECTION_STRING is missing: {PREFIX}QUEUE=servicebus needs it."
        )
    oidc = ("oidc_server_url", "oidc_client_id", "oidc_client_secret")
    missing = [name for name in oidc if not getattr(environment, name)]
    if missing and len(missing) < len(oidc):
        problems.extend(
            f"{PREFIX}{name.upper()} is missing: sign-in by OpenID needs it." for name in missing
        )
    return problems


def stored_secret_key(folder: Path) -> str:
    """The secret key kept in `folder/secret_key` (mode 0600), made on first use.

    For machines that are nobody else's (development, the demo). Two processes that start at once
    agree: the file appears whole, by link, and whoever comes second reads it. Raises
    `SettingsError` where it can neither be read nor made.
    """
    try:
        return _read_or_make(folder)
    except OSError as error:
        problem = f"cannot be used: the secret key is kept in {folder} ({error.strerror or error})"
        raise SettingsError([f"{PREFIX}DATA {problem}; choose a folder of your own."]) from error


def _read_or_make(folder: Path) -> str:
    path = folder / "secret_key"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".secret_key.{os.getpid()}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its key counts
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
