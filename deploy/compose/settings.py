"""Write new passwords and keys for compose.yaml into `*.env` beside this file; keep what is there.

Files are this user's alone (mode 600) and in no repository. Standard library only.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    owner, app = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    blobs = base64.b64encode(secrets.token_bytes(64)).decode()
    database = "postgresql://{}:{}@database:5432/trackcenter"
    files = {
        "database.env": {
            "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
            "OWNER_PASSWORD": owner,
            "APP_PASSWORD": app,
        },
        "azurite.env": {"AZURITE_ACCOUNTS": f"trackcenter:{blobs}"},
        "owner.env": {"TRACKCENTER_DATABASE_URL": database.format("trackcenter", owner)},
        "trackcenter.env": {
            "TRACKCENTER_DATABASE_URL": database.format("trackcenter_app", app),
            "TRACKCENTER_SECRET_KEY": secrets.token_urlsafe(64),
            "TRACKCENTER_PUBLIC_URL": "http://localhost:8000",
            "TRACKCENTER_ALLOWED_HOSTS": "localhost,127.0.0.1",
            "TRACKCENTER_STORAGE_URL": "az://trackcenter/files",
            "TRACKCENTER_AZURE_STORAGE_KEY": blobs,
            "TRACKCENTER_AZURE_STORAGE_ENDPOINT": "http://127.0.0.1:10000",
        },
    }
    there = [name for name in files if (FOLDER / name).exists()]
    if there:
        # They belong together: a new password for a database that exists opens nothing.
        raise SystemExit(f"{', '.join(there)} there already in {FOLDER}: nothing was written.")
    for name, settings in files.items():
        descriptor = os.open(FOLDER / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())
        sys.stdout.write(f"{FOLDER / name}\n")


if __name__ == "__main__":
    main()
