"""The commands, one function each."""

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from trackcenter import __version__
from trackcenter.cli.start import (
    application,
    console,
    grant,
    migrate,
    place,
    reach,
    stop,
    without_database,
)
from trackcenter.kit.errors import InputError, TrackCenterError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Track Center: who got which bill, when, and how we know.",
)
audit = typer.Typer(no_args_is_help=True, help="Check the evidence.")
token = typer.Typer(no_args_is_help=True, help="Bearer tokens for programs.")
jobs = typer.Typer(no_args_is_help=True, help="Dead letters: what the queue gave up.")
subscriptions = typer.Typer(no_args_is_help=True, help="Microsoft Graph's change notifications.")
app.add_typer(audit, name="audit")
app.add_typer(token, name="token")
app.add_typer(jobs, name="jobs")
app.add_typer(subscriptions, name="subscriptions")
receipts = typer.Typer(no_args_is_help=True, help="What providers reported, as it was stored.")
app.add_typer(receipts, name="receipts")
storage = typer.Typer(no_args_is_help=True, help="Stored files.")
app.add_typer(storage, name="storage")

Command = TypeVar("Command", bound=Callable[..., Any])


def with_application(command: Command) -> Command:
    """Run a command with Django and a migrated database; our own errors become sentences."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        with application():
            migrate()
            try:
                return command(*arguments, **options)
            except InputError as error:
                for problem in error.problems:
                    console.print(str(problem), markup=False)
                more = error.total - len(error.problems)
                stop(f"… and {more} more" if more > 0 else "Nothing was changed.")
            except TrackCenterError as error:
                stop(str(error))

    return run  # type: ignore[return-value]


def main() -> None:
    """The entry point."""
    app()


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Say the version.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    data: Annotated[Path, typer.Option(help="Where the demo keeps everything.")] = Path("var/demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget an earlier demo first.")] = False,
) -> None:
    """Show a year of bills going out and receipts coming back, on this machine alone."""
    from trackcenter.cli.demo import run

    run(port=port, data=data.resolve(), fresh=fresh)


@app.command()
def serve(
    host: str = "127.0.0.1", port: Annotated[int, typer.Option(min=1, max=65535)] = 8000
) -> None:
    """Serve the screen and the API (brings the database up to date first)."""
    from trackcenter.cli.web import serve as run

    run(host, port)


@app.command()
def worker(
    channel: Annotated[
        list[str] | None, typer.Option(help="Only these channels (EMAIL, SMS, …) and nothing else.")
    ] = None,
) -> None:
    """Send, receive and look after the queue until told to stop."""
    with application():
        migrate(wait=True)
        from django.conf import settings

        from trackcenter.queue.publish import CHANNEL_QUEUES, QUEUES
        from trackcenter.queue.worker import run

        unknown = set(channel or ()) - set(CHANNEL_QUEUES)
        if unknown:
            stop(f"There is no channel {min(unknown)}: use {', '.join(CHANNEL_QUEUES)}.", 2)
        queues = [CHANNEL_QUEUES[one] for one in channel] if channel else QUEUES
        run(queues, concurrency=settings.WORKER_CONCURRENCY)


@app.command("migrate")
def migrate_(
    role: Annotated[
        str | None,
        typer.Option(help="Let this other role of the database serve and work, not alter history."),
    ] = None,
) -> None:
    """Bring the database up to date and make the place for files; then end."""
    with application(), _sentences():
        from django.db import DatabaseError

        from trackcenter.storage import StorageUnavailable, check_writable, prepare

        migrate()
        print("The database is up to date.")
        if role:
            try:
                grant(role)
            except DatabaseError as error:
                stop(f"{role} was not given its rights: {error}")
            print(f"{role} may serve and work, and cannot change what is append-only.")
        try:
            if prepare():
                print("The container for files is made.")
            check_writable()
        except StorageUnavailable as trouble:
            stop(f"{trouble.what}. {trouble.mend}")
        print("Files can be written and read back.")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def sandbox(context: typer.Context) -> None:
    """A stand-in for Microsoft's services on loopback (`--help` says its options)."""
    from trackcenter.sandbox.__main__ import main as run

    raise typer.Exit(run(context.args))


@app.command("import")
@with_application
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, XLSX or JSON.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count only.")] = False,
) -> None:
    """Import a billing file, whole or not at all."""
    from trackcenter.imports.command import import_command

    raise typer.Exit(import_command(file, dry_run=dry_run))


@app.command()
@with_application
def send(
    building: Annotated[str, typer.Option(help="The building's code.")],
    year: Annotated[int, typer.Option()],
    channel: Annotated[list[str] | None, typer.Option()] = None,
) -> None:
    """Queue a building's bills of one year; a worker sends them."""
    from rich.progress import Progress

    from trackcenter.access.visible import EVERY_BUILDING
    from trackcenter.batches.services import fulfil, request_send
    from trackcenter.communications.models import Batch

    batch = Batch.objects.filter(building__code=building, year=year).first()
    if batch is None:
        stop(f"There is no batch of building {building} and year {year}.")
    pending = batch.communications.filter(delivery_status="PENDING")
    if channel:
        pending = pending.filter(channel__in=channel)
    count = pending.count()  # before: a worker may queue them while this command does
    request = request_send(EVERY_BUILDING, batch.id, channels=channel)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("queueing", total=count)
        fulfil(request.id, lambda done: bar.advance(task, done))
    print(f"{count} queued.")


@app.command()
@with_application
def export(
    output: Annotated[Path, typer.Option(dir_okay=False, help="A CSV, or a name in .xlsx.")],
    building: Annotated[str | None, typer.Option(help="Only this one (code).")] = None,
    year: Annotated[int | None, typer.Option(help="Only this one.")] = None,
) -> None:
    """Write the history of communications to a file."""
    from trackcenter.exports.command import export_command

    print(export_command(output, building=building, year=year))


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(help="Of the list.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name the benchmarks.")] = False,
) -> None:
    """Measure something and print the ratio."""
    from trackcenter.cli.bench import benchmarks, run

    if name is None or list_:
        for known_as, about in benchmarks():
            print(f"{known_as:12}{about}")
        return
    raise typer.Exit(run(name, []))


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A new file, or a folder to put one into.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="The secret keys under DATA, too.")
    ] = False,
) -> None:
    """Write the database and every file it names to one file, while the server goes on."""
    with application(), _sentences():
        reach()
        from trackcenter.cli.backup import backup as run

        with _counting("files") as count:
            done = run(target.resolve(), with_keys=with_keys, progress=count)
        print(f"{done.path}: the database and {done.files} files ({done.bytes} bytes).")
        if done.missing:
            stop(f"{len(done.missing)} files are missing or damaged, first {done.missing[0]}.")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Of `backup`.")],
) -> None:
    """Restore a backup into an empty database."""
    with application(), _sentences():
        reach()
        from trackcenter.cli.backup import restore as run
        from trackcenter.evidence.kept import mend
        from trackcenter.evidence.watch import missed_seal

        with _counting("files") as count:
            done = run(source.resolve(), progress=count)
        print(f"The database and {done.files} files are restored.")
        if done.missing:
            stop(f"{len(done.missing)} files are missing, first {done.missing[0]}.")
        if missed := missed_seal():
            kept, what = missed
            print(f"More was sealed than this backup has: {what}. {mend(kept.path)}")
        print("Now: trackcenter audit verify")


@storage.command("copy")
def storage_copy(
    source: Annotated[str, typer.Argument(help="file:///folder or az://account/container")],
    target: Annotated[str, typer.Argument(help="Likewise; nothing there is written over.")],
) -> None:
    """Copy every stored file to another place, each verified there; do it again if interrupted."""
    without_database()
    from trackcenter.cli.copying import copy_command

    with _sentences():
        print(copy_command(source, target))


@contextmanager
def _sentences() -> Iterator[None]:
    """Our own errors become sentences."""
    try:
        yield
    except TrackCenterError as error:
        stop(str(error))


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn(f"{{task.completed}} {what}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)


@app.command()
@with_application
def retention(
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As if it were that day.")
    ] = None,
) -> None:
    """Say what would be kept, archived or purged, and why; nothing is deleted or written."""
    from trackcenter.retention.command import retention_lines

    for line in retention_lines(on.date() if on else None):
        print(line)


@app.command()
@with_application
def hold(
    building: Annotated[str, typer.Option(help="The building's code.")],
    unit: Annotated[str, typer.Option(help="The unit's number.")],
    username: Annotated[str, typer.Option(help="In whose name.")],
    reason: Annotated[str | None, typer.Option(help="Why; without one the hold is lifted.")] = None,
) -> None:
    """Place a legal hold over a unit, or lift it."""
    from trackcenter.retention.command import hold_command

    print(hold_command(building=building, unit=unit, username=username, reason=reason))


@app.command()
def doctor() -> None:
    """Say what is misconfigured, and how to mend it."""
    from trackcenter.config.doctor import examine_environment, examine_installation, exit_code

    findings = list(examine_environment())
    if not exit_code(findings):
        with application():
            findings += examine_installation()
    for finding in findings:
        print(finding)
    raise typer.Exit(exit_code(findings))


@app.command()
@with_application
def createadmin(
    username: Annotated[str, typer.Option()],
    password_stdin: Annotated[bool, typer.Option("--password-stdin")] = False,
) -> None:
    """Make an administrator, or give one a new password."""
    from trackcenter.access import commands

    said = commands.createadmin(username, commands.read_password(from_stdin=password_stdin))
    print(f"{said} Kept in {place()}.")


@token.command("create")
@with_application
def token_create(
    username: Annotated[str, typer.Option()],
    role: Annotated[str | None, typer.Option(help="admin or viewer")] = None,
    building: Annotated[list[str] | None, typer.Option(help="Only these (codes).")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How long it is valid.")] = 365,
) -> None:
    """Make a token, and the user if there is none; prints the token alone."""
    from trackcenter.access import commands

    print(commands.token_create(username, role=role, buildings=building or (), days=days))


@token.command("list")
@with_application
def token_list() -> None:
    """List the tokens, newest first: what they may, until when, and when they were last used."""
    from trackcenter.access import commands

    for line in commands.token_list():
        print(line)


@token.command("revoke")
@with_application
def token_revoke(id: Annotated[str, typer.Argument(help="Of `token list`.")]) -> None:
    """End a token now."""
    from trackcenter.access import commands

    print(commands.token_revoke(id))


@audit.command("verify")
@with_application
def audit_verify(
    key: Annotated[
        list[str] | None,
        typer.Option(help="Believe seals of these keys only (as `audit key` printed them)."),
    ] = None,
    seal: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The log must contain this seal (as `audit seal` printed it, or of a bundle).",
        ),
    ] = None,
) -> None:
    """Recompute every hash, status, count and seal; name the first row that differs."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from trackcenter.evidence.kept import read_seal
    from trackcenter.evidence.keys import believed_keys
    from trackcenter.evidence.notes import read_verifier_key
    from trackcenter.evidence.verify import verify

    try:
        keys = [read_verifier_key(text) for text in key] if key else None
    except ValueError as error:
        stop(f"--key: {error}", 2)
    kept = []
    for file in seal or ():
        try:
            kept.append(read_seal(file, believed_keys() if keys is None else keys))
        except ValueError as error:
            stop(f"--seal {file}: {error}", 2)
    columns = (SpinnerColumn(), TextColumn("{task.completed} events checked"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("audit", total=None)
        result = verify(lambda done: bar.update(task, completed=done), keys, kept)
    if result.finding:
        print(f"DIFFERS: {result.finding}")
        raise typer.Exit(1)
    print(
        f"OK: {result.events} events of {result.communications} communications and "
        f"{result.snapshots} billing snapshots are what they were when they were written."
    )
    sealed = result.sealed
    if sealed.newest_at:
        print(
            f"{sealed.events} of the events are under {sealed.seals} "
            f"{'seal' if sealed.seals == 1 else 'seals'}, "
            f"the newest of {sealed.newest_at:%Y-%m-%d %H:%M} UTC."
        )
    else:
        print("Nothing is sealed yet.")
    for one in kept:
        print(f"The log contains the seal over {one.size} events in {one.path}.")


@audit.command("seal")
@with_application
def audit_seal() -> None:
    """Seal what has happened since the last seal; a worker does the same every hour."""
    from trackcenter.evidence.models import Seal
    from trackcenter.evidence.seals import seal
    from trackcenter.evidence.stamps import NoTimeStamp, stamp

    new = seal()
    newest = Seal.objects.order_by("-size").first()
    if newest is None:
        print("There is nothing to seal yet.")
        return
    if new is None:
        console.print("Nothing has happened since the last seal, which is:")
    print(newest.note, end="")
    try:
        stamped = stamp(newest)
    except NoTimeStamp as reason:
        stop(f"The seal stands, but without a time-stamp: {reason}")
    if stamped:
        console.print(f"Time-stamped {stamped.stamped_at:%Y-%m-%d %H:%M:%S} UTC.")


@audit.command("key")
@with_application
def audit_key() -> None:
    """Print the public half of the seal key, to be kept where this server cannot reach it."""
    from trackcenter.evidence.keys import signing_key

    print(signing_key().verifier)


@jobs.command("dead")
@with_application
def jobs_dead() -> None:
    """List the dead letters: jobs and messages that were given up, with their reasons."""
    from trackcenter.delivery.dead_letters import command

    for line in command.dead_lines():
        print(line)


@jobs.command("show")
@with_application
def jobs_show(id: Annotated[str, typer.Argument(help="Of `jobs dead`.")]) -> None:
    """Show one dead letter and what it is about, as JSON."""
    from trackcenter.delivery.dead_letters import command

    print(command.show(id))


@jobs.command("requeue")
@with_application
def jobs_requeue(
    id: Annotated[list[str] | None, typer.Argument(help="Of `jobs dead`; none: all.")] = None,
    username: Annotated[str | None, typer.Option(help="In whose name, for the record.")] = None,
) -> None:
    """Run dead letters again, after mending the cause."""
    from trackcenter.delivery.dead_letters import command

    print(f"{command.requeue(id, username)} queued again.")


@jobs.command("discard")
@with_application
def jobs_discard(
    id: Annotated[str, typer.Argument(help="Of `jobs dead`.")],
    note: Annotated[str, typer.Option(help="Why it may be forgotten.")],
    username: Annotated[str, typer.Option(help="In whose name.")],
) -> None:
    """Give a dead letter up for good; who, when, why and the letter itself stay on record."""
    from trackcenter.delivery.dead_letters import command

    print(command.discard(id, note, username))


@jobs.command("decided")
@with_application
def jobs_decided() -> None:
    """List what was decided about dead letters, newest first."""
    from trackcenter.delivery.dead_letters import command

    for line in command.decided_lines():
        print(line)


@subscriptions.command("ensure")
@with_application
def subscriptions_ensure() -> None:
    """Have Graph tell this server about new mail; the server must be running."""
    from trackcenter.providers.base import ProviderFailure
    from trackcenter.queue.retry import RetryAt
    from trackcenter.receipts.subscriptions import ensure, watched_mailboxes

    if not watched_mailboxes():
        needed = ("GRAPH_MAILBOX", "GRAPH_CLIENT_STATE", "PUBLIC_URL")
        stop(f"Set {', '.join(f'TRACKCENTER_{name}' for name in needed)} first.")
    try:
        ensure()
    except ProviderFailure as failure:
        stop(f"Microsoft Graph refused: {failure}\n{failure.raw}")
    except RetryAt as later:
        stop(f"Not now: {later}. Try again after {later.at:%H:%M:%S} UTC.")
    print("Graph tells this server about new mail.")


@receipts.command("replay")
@with_application
def receipts_replay(
    since: Annotated[
        datetime | None, typer.Option(help="Only those received from then on (UTC).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
) -> None:
    """Read stored receipts again, after a fix; changes nothing that was right."""
    from rich.progress import Progress, SpinnerColumn, TextColumn

    from trackcenter.receipts.replay import replay

    start = since.replace(tzinfo=UTC) if since else None
    columns = (SpinnerColumn(), TextColumn("{task.completed} receipts read"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("replay", total=None)
        result = replay(
            start, dry_run=dry_run, progress=lambda done: bar.update(task, completed=done)
        )
    print(f"{result}{' (nothing was kept)' if dry_run else ''}.")
    for receipt_id in result.differs:
        print(f"differs: {receipt_id}")


@receipts.command("unresolved")
@with_application
def receipts_unresolved() -> None:
    """List the reports that found no message of ours within a day."""
    from trackcenter.access.visible import EVERY_BUILDING
    from trackcenter.receipts.work import list_unresolved

    cursor: str | None = None
    while True:
        page = list_unresolved(EVERY_BUILDING, cursor=cursor, limit=200)
        for item in page["items"]:
            ids = " ".join(item["correlation"])
            print(f"{item['id']}  {item['receivedAt']:%Y-%m-%d %H:%M}  {item['origin']}  {ids}")
        cursor = page["nextCursor"]
        if cursor is None:
            return


@app.command("openapi")
def openapi(
    output: Annotated[Path | None, typer.Option(help="A file; else standard output.")] = None,
) -> None:
    """Write the API's OpenAPI document."""
    import json

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trackcenter.config.settings")
    import django

    django.setup()
    from trackcenter.api import api

    text = json.dumps(api.get_openapi_schema(), indent=2, ensure_ascii=False) + "\n"
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
