"""Graph's errors in our words.

The list of codes is open-ended: what is not in the table is judged by its HTTP class, and the
raw answer is kept either way.
"""

from dataclasses import dataclass
from enum import Enum

from trackcenter.providers.base import ProviderFailure
from trackcenter.providers.wire import Reply


class Kind(Enum):
    """What helps: nothing, mending our set-up, or asking again."""

    PERMANENT = "permanent"
    MISCONFIGURED = "misconfigured"
    TEMPORARY = "temporary"


@dataclass(frozen=True)
class Meaning:
    kind: Kind
    sentence: str


_P, _M, _T = Kind.PERMANENT, Kind.MISCONFIGURED, Kind.TEMPORARY
_NO_MAILBOX = "The sending mailbox does not exist or has no Exchange Online licence."
_NOT_ALLOWED = "The application may not use the sending mailbox."
_BUSY = "Microsoft asked us to slow down."
_TROUBLE = "Microsoft had a passing fault."
_TOO_BIG = "The message is larger than the mailbox may send."

MEANINGS: dict[str, Meaning] = {
    # the message cannot be sent as it is
    "ErrorInvalidRecipients": Meaning(_P, "The recipient's address is not valid."),
    "ErrorInvalidSmtpAddress": Meaning(_P, "The recipient's address is not valid."),
    "ErrorInvalidInternetHeaders": Meaning(_P, "A header of the message was refused."),
    "ErrorMessageSizeExceeded": Meaning(_P, _TOO_BIG),
    "ErrorSubmissionMessageSizeExceeded": Meaning(_P, _TOO_BIG),
    "ErrorAttachmentSizeLimitExceeded": Meaning(_P, "An attachment is too large."),
    "RequestBodyTooLarge": Meaning(_P, "The message is too large."),
    "ErrorSubmissionBlocked": Meaning(
        _M, "Microsoft blocked the mailbox from sending, often because of suspected spam."
    ),
    # ours to mend
    "ErrorInvalidUser": Meaning(_M, _NO_MAILBOX),
    "ErrorNonExistentMailbox": Meaning(_M, _NO_MAILBOX),
    "MailboxNotEnabledForRESTAPI": Meaning(_M, _NO_MAILBOX),
    "MailboxNotSupportedForRESTAPI": Meaning(_M, _NO_MAILBOX),
    "ResourceNotFound": Meaning(_M, _NO_MAILBOX),
    "Request_ResourceNotFound": Meaning(_M, _NO_MAILBOX),
    "ErrorAccessDenied": Meaning(_M, _NOT_ALLOWED),
    "AccessDenied": Meaning(_M, _NOT_ALLOWED),
    "Authorization_RequestDenied": Meaning(_M, _NOT_ALLOWED),
    "ErrorSendAsDenied": Meaning(_M, _NOT_ALLOWED),
    "InvalidAuthenticationToken": Meaning(_M, "Microsoft did not accept our sign-in."),
    "AuthenticationError": Meaning(_M, "Microsoft did not accept our sign-in."),
    "ErrorQuotaExceeded": Meaning(_M, "The sending mailbox is full."),
    "ErrorAccountSuspend": Meaning(_M, "Microsoft suspended the sending mailbox."),
    # wait and ask again
    "ErrorExceededMessageLimit": Meaning(_T, "The mailbox has reached its sending limit."),
    "ErrorMessageThrottled": Meaning(_T, _BUSY),
    "ErrorServerBusy": Meaning(_T, _BUSY),
    "ApplicationThrottled": Meaning(_T, _BUSY),
    "TooManyRequests": Meaning(_T, _BUSY),
    "activityLimitReached": Meaning(_T, _BUSY),
    "ErrorMailboxMoveInProgress": Meaning(_T, "The mailbox is being moved by Microsoft."),
    "ErrorMailboxStoreUnavailable": Meaning(_T, _TROUBLE),
    "ErrorInternalServerTransientError": Meaning(_T, _TROUBLE),
    "ErrorInternalServerError": Meaning(_T, _TROUBLE),
    "ErrorConnectionFailed": Meaning(_T, _TROUBLE),
    "ErrorTimeoutExpired": Meaning(_T, _TROUBLE),
    "ErrorIrresolvableConflict": Meaning(_T, _TROUBLE),
    "ServiceUnavailable": Meaning(_T, _TROUBLE),
    "UnknownError": Meaning(_T, _TROUBLE),
}
_BY_CODE = {code.lower(): meaning for code, meaning in MEANINGS.items()}

_BY_STATUS: dict[int, Meaning] = {
    401: Meaning(_M, "Microsoft did not accept our sign-in."),
    403: Meaning(_M, _NOT_ALLOWED),
    # Draft ids are only asked for where they were just given, so it is the mailbox that is missing.
    404: Meaning(_M, "Microsoft does not know the sending mailbox or the message."),
    408: Meaning(_T, _TROUBLE),
    409: Meaning(_T, _TROUBLE),
    410: Meaning(_T, "Microsoft no longer has what was asked for."),
    412: Meaning(_T, _TROUBLE),
    413: Meaning(_P, "The message is too large."),
    423: Meaning(_T, "The mailbox is locked at the moment."),
    429: Meaning(_T, _BUSY),
}

_MAY_HAVE_BEEN_SENT_4XX = frozenset({404, 408, 409, 410, 412})
"""Answers to a `send` that fit a message which an earlier call already moved out of the drafts."""


def failure(reply: Reply, *, sending: bool = False) -> ProviderFailure:
    """An error answer as a failure.

    `sending` marks the one call whose repeat could be a second mail: there a server's trouble and
    'no such draft' leave the outcome unknown, and so are never permanent.
    """
    code = _code(reply)
    if reply.status == 429:  # whatever the code says, the answer is to wait
        meaning = _BY_STATUS[429]
    elif (known := _BY_CODE.get((code or "").lower())) is not None:
        meaning = known
    else:
        meaning = _BY_STATUS.get(reply.status) or _by_class(reply.status)
    unknown = sending and (reply.status >= 500 or reply.status in _MAY_HAVE_BEEN_SENT_4XX)
    return ProviderFailure(
        meaning.sentence,
        permanent=meaning.kind is Kind.PERMANENT and not unknown,
        code=code or f"HTTP {reply.status}",
        raw=reply.text,
        retry_after=reply.retry_after,
        unknown=unknown,
        misconfigured=meaning.kind is Kind.MISCONFIGURED and not unknown,
        status=reply.status,
    )


def token_failure(reply: Reply) -> ProviderFailure:
    """An error of the token endpoint (RFC 6749 section 5.2); refusals are ours to mend."""
    refused = 400 <= reply.status < 500 and reply.status not in (408, 429)
    error = reply.json().get("error")
    if refused:
        sentence = "Microsoft refused our sign-in: check tenant, client id and client secret."
    else:
        sentence = "The Microsoft sign-in service had a passing fault."
    return ProviderFailure(
        sentence,
        code=error if isinstance(error, str) else f"HTTP {reply.status}",
        raw=reply.text,
        retry_after=reply.retry_after,
        misconfigured=refused,
        status=reply.status,
    )


def _code(reply: Reply) -> str | None:
    error = reply.json().get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and code else None


def _by_class(status: int) -> Meaning:
    if 400 <= status < 500:
        return Meaning(_P, "Microsoft refused the message.")
    if status >= 500:
        return Meaning(_T, _TROUBLE)
    return Meaning(_T, f"Microsoft answered in a way we do not know (HTTP {status}).")
