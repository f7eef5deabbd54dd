"""Django's settings, made from the environment once (`trackcenter.config.environment`).

The installation's own settings stand at the end under the names of the guide, without prefix.
"""

import os
from pathlib import Path
from typing import Any

from trackcenter.config.databases import NOT_STARTED, database
from trackcenter.config.environment import read_environment, stored_secret_key
from trackcenter.config.logs import logging_config
from trackcenter.config.openid import openid_providers
from trackcenter.config.security import CONTENT_SECURITY_POLICY as CONTENT_SECURITY_POLICY

BASE = Path(__file__).resolve().parent.parent
ENVIRONMENT = read_environment()

DATA = ENVIRONMENT.data
PRODUCTION = ENVIRONMENT.production
PUBLIC_URL = ENVIRONMENT.public_url
BEHIND_TLS = ENVIRONMENT.https

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key or stored_secret_key(DATA / "keys")
SECRET_KEY_FALLBACKS = list(ENVIRONMENT.secret_key_fallbacks)
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts) or ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    # Before allauth, whose templates it replaces.
    "trackcenter.access",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "csp",
    "ninja",
    "pgtrigger",
    "procrastinate.contrib.django",
    "trackcenter.queue",
    "trackcenter.buildings",
    "trackcenter.communications",
    "trackcenter.delivery_records",
    "trackcenter.delivery",
    "trackcenter.receipts",
    "trackcenter.evidence",
    "trackcenter.exports",
    "trackcenter.retention",
    "trackcenter.batches",
]
MIDDLEWARE = [
    "trackcenter.config.security.EdgeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "trackcenter.config.urls"
WSGI_APPLICATION = "trackcenter.config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "trackcenter.access.signin.page_words",
            ]
        },
    }
]

# Database. `default` is the application's role; with the embedded server the command line hands
# over both addresses, and migrations run as the owner.
_app_url = ENVIRONMENT.database_url or os.environ.get("_TRACKCENTER_EMBEDDED_APP_URL")
_owner_url = None if ENVIRONMENT.database_url else os.environ.get("_TRACKCENTER_EMBEDDED_OWNER_URL")
DATABASES: dict[str, dict[str, Any]] = {"default": database(_app_url or NOT_STARTED)}
if _owner_url:
    DATABASES["owner"] = {**database(_owner_url), "TEST": {"MIRROR": "default"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Sign-in limits live here, so that every process counts the same wrong passwords. Room enough
# that nobody can push a lock out by trying many names.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entries",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

# Time and language. Letters and mails speak their reader's language; these are for the sign-in.
USE_TZ = True
TIME_ZONE = ENVIRONMENT.time_zone
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]

# Accounts
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/track"
LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_ADAPTER = "trackcenter.access.signin.Accounts"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # for SESSION_COOKIE_AGE, then the password again
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # of all sessions, the one that changed it stays
ACCOUNT_RATE_LIMITS = {
    # Twelve wrong passwords lock an account for a quarter of an hour, wherever they come from.
    # One address may miss more often than that: a whole office can sit behind it.
    "login_failed": "100/5m/ip,12/15m/key",
    "login": "300/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "webhook": "60/m/ip",  # wrong secrets
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds; then the password again, for the second step
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.trusted_proxies
# Sign-in by OpenID Connect, when it is set up. Accounts there are never joined to local ones by
# name or e-mail address: whoever controls an address at the provider would become that person.
SOCIALACCOUNT_ADAPTER = "trackcenter.access.openid.OpenIDAccounts"
SOCIALACCOUNT_PROVIDERS = openid_providers(ENVIRONMENT)
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link: form-action would forbid the provider's redirects
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
MFA_ADAPTER = "trackcenter.access.second_step.SecondStep"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Track Center"
MFA_TOTP_TOLERANCE = 1  # a code of half a minute ago is fine: clocks differ
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "trackcenter.access.signin.csrf_failure"

# TLS ends at a proxy; `EdgeMiddleware` says what happens when that proxy keeps silent about it.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_TLS
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SILENCED_SYSTEM_CHECKS = [
    # Subdomains and the preload list concern a whole domain; one program must not decide for it.
    "security.W005",
    "security.W021",
]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Sizes. Files are streamed to disk; these are for what is held in memory.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 20

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE / "static"] if (BASE / "static").is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/track/assets/.+-[\w-]{8,}\.\w+$"

LOGGING = logging_config(ENVIRONMENT.log_level)

# Track Center's own
SENDER_NAME = ENVIRONMENT.sender_name
SENDER_ADDRESS = ENVIRONMENT.sender_address
PAYEE_NAME = ENVIRONMENT.payee_name or ENVIRONMENT.sender_name
S10_RANGE = ENVIRONMENT.s10_range
STORAGE_URL = ENVIRONMENT.storage_url or (DATA / "files").as_uri()
AZURE_STORAGE_KEY = ENVIRONMENT.azure_storage_key
AZURE_STORAGE_IDENTITY = ENVIRONMENT.azure_storage_identity
AZURE_STORAGE_ENDPOINT = ENVIRONMENT.azure_storage_endpoint
QUEUE = ENVIRONMENT.queue
SERVICEBUS_CONNECTION_STRING = ENVIRONMENT.servicebus_connection_string
EMAIL_PROVIDER = ENVIRONMENT.email_provider
GRAPH_BASE_URL = ENVIRONMENT.graph_base_url
GRAPH_AUTHORITY = ENVIRONMENT.graph_authority
GRAPH_TENANT_ID = ENVIRONMENT.graph_tenant_id
GRAPH_CLIENT_ID = ENVIRONMENT.graph_client_id
GRAPH_CLIENT_SECRET = ENVIRONMENT.graph_client_secret
GRAPH_CERTIFICATE = ENVIRONMENT.graph_certificate
GRAPH_CERTIFICATE_PASSWORD = ENVIRONMENT.graph_certificate_password
GRAPH_MANAGED_IDENTITY = ENVIRONMENT.graph_managed_identity
GRAPH_MAILBOX = ENVIRONMENT.graph_mailbox
GRAPH_MAILBOXES = dict(ENVIRONMENT.graph_mailboxes)
GRAPH_CONCURRENCY = ENVIRONMENT.graph_concurrency
GRAPH_MESSAGE_TRACE = ENVIRONMENT.graph_message_trace == "on"
GRAPH_CLIENT_STATE = ENVIRONMENT.graph_client_state
ACS_ENDPOINT = ENVIRONMENT.acs_endpoint
ACS_ACCESS_KEY = ENVIRONMENT.acs_access_key
SMS_FROM = ENVIRONMENT.sms_from
EMAIL_FROM = ENVIRONMENT.email_from
EVENTGRID_SECRETS = ENVIRONMENT.eventgrid_secrets
CLAMD = ENVIRONMENT.clamd
SEAL_KEY = ENVIRONMENT.seal_key
SEAL_KEY_FALLBACKS = ENVIRONMENT.seal_key_fallbacks
TIME_STAMP_URL = ENVIRONMENT.time_stamp_url
OIDC_SERVER_URL = ENVIRONMENT.oidc_server_url
OIDC_CLIENT_ID = ENVIRONMENT.oidc_client_id
OIDC_CLIENT_SECRET = ENVIRONMENT.oidc_client_secret
OIDC_ADMIN_GROUP = ENVIRONMENT.oidc_admin_group
EMAIL_PER_MINUTE = ENVIRONMENT.email_per_minute
EMAIL_PER_DAY = ENVIRONMENT.email_per_day
SMS_PER_MINUTE = ENVIRONMENT.sms_per_minute
SMS_SEGMENT_PRICE = ENVIRONMENT.sms_segment_price
REPORT_AFTER_MINUTES = ENVIRONMENT.report_after_minutes
LEASE_SECONDS = ENVIRONMENT.lease_seconds
WORKER_CONCURRENCY = ENVIRONMENT.worker_concurrency
