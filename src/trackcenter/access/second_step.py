"""The second step of signing in: a code from an app (TOTP, RFC 6238), for whoever wants it."""

import base64
import hashlib

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import lazystr

from trackcenter.access.signin import Said

_PURPOSE = b"trackcenter second step\x00"


class SecondStep(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are kept encrypted: a copy of the database alone makes no codes."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": lazystr(Said("code_wrong")),
    }

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _fernet().decrypt(encrypted_text.encode("ascii")).decode()
        except InvalidToken:  # made under a secret key that is gone
            raise ValidationError(str(Said("code_lost"))) from None


def _fernet() -> MultiFernet:
    """Keys made from the secret key, and from its predecessors while it is being changed."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(_PURPOSE + key.encode()).digest()))
            for key in keys
        ]
    )
