"""All settings of Listkeeper, read from the environment; docs/configuration.md lists them."""

from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet

from config.env import (
    SQLITE,
    choice,
    data_folder,
    database,
    env,
    flag,
    integer,
    objects,
    secret,
    text,
    time_zone,
    words,
)

VERSION = "0.1.0"
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = data_folder("LISTKEEPER_DATA", BASE_DIR / "data")
env.read_env(DATA_DIR / "listkeeper.env", overwrite=False)

DEBUG = flag("LISTKEEPER_DEBUG", False)
SECRET_KEY = secret("SECRET_KEY", DATA_DIR, "secret_key")
# Newest first: the first key encrypts, all decrypt. See lists/encrypted.py.
ENCRYPTION_KEYS = secret(
    "LISTKEEPER_ENCRYPTION_KEYS", DATA_DIR, "encryption_keys", make=lambda: Fernet.generate_key().decode()
).split()
ALLOWED_HOSTS = words("LISTKEEPER_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = words("LISTKEEPER_TRUSTED_ORIGINS", [])

# What `manage.py up` opens, and whether the very first start brings demo lists.
ADDRESS = text("LISTKEEPER_ADDRESS", "127.0.0.1")
PORT = integer("LISTKEEPER_PORT", 8000, low=1, high=65_535)
DEMO = flag("LISTKEEPER_DEMO", True)

INSTALLED_APPS = [
    "monitoring",
    "sync",
    "lists",
    "config.apps.ListkeeperAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_prometheus",
    "django_q",
    "simple_history",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicy",
    "config.middleware.StoredSecrets",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sync.context.shell",
                "lists.context.review",
            ],
            "builtins": ["lists.templatetags.listkeeper"],
        },
    },
]

# SQLite is the embedded default. IMMEDIATE: a read-then-write transaction under deferred locking fails at once with
# "database is locked", whatever the timeout. FULL: the last commits survive a power cut. Temporary tables, and what a statement
# needs to be taken back, stay in files: of a change of all 100,000 entries they would take 100 MB of memory.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
}
DATABASES = {"default": database("DATABASE_URL", default=DATA_DIR / "listkeeper.sqlite3")}
if DATABASES["default"]["ENGINE"] == SQLITE:
    DATABASES["default"] |= {"ENGINE": "config.sqlite", "OPTIONS": SQLITE_OPTIONS, "TEST": {"NAME": ":memory:"}}
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The task carries a run's id and nothing else; the Run table is the truth (docs/architecture.md). `retry` is
# django-q2's redelivery, not our retry: it must never come before a task's end.
MAX_RUN_S = integer("LISTKEEPER_MAX_RUN_SECONDS", 1800, low=1, high=86_400)
WORKERS = integer("LISTKEEPER_WORKERS", 2, low=1, high=64)
PARALLEL_RUNS = integer("LISTKEEPER_PARALLEL_RUNS", WORKERS, low=1, high=1000)
# A worker that gives no sign of life for a lease has lost its run; a queue that takes no task for the time of silence is
# started anew.
LEASE_S = integer("LISTKEEPER_LEASE_SECONDS", 60, low=2, high=3600)
SILENCE_S = integer("LISTKEEPER_SILENCE_SECONDS", 40, low=2, high=3600)
DISPATCH_S = integer("LISTKEEPER_DISPATCH_SECONDS", 30, low=1, high=300)
BLOCK = integer("LISTKEEPER_BLOCK", 100, low=1, high=100_000)
# Entries that one version changes at most on SQLite, where a version locks everybody else out while it is written.
LARGE_CHANGE = integer("LISTKEEPER_LARGE_CHANGE", 50_000, low=50, high=100_000_000)
MEMORY_WARNING_MIB = integer("LISTKEEPER_MEMORY_WARNING_MIB", 512, low=64, high=1_000_000)
MEMORY_LIMIT_MIB = integer("LISTKEEPER_MEMORY_LIMIT_MIB", 1024, low=64, high=1_000_000)
REDIS_URL = text("REDIS_URL")
Q_CLUSTER = {
    "name": text("LISTKEEPER_QUEUE", "listkeeper"),
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "bulk": 1,
    "timeout": MAX_RUN_S + 60,
    "retry": 3 * (MAX_RUN_S + 60) + 60,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 250,
    "recycle": 200,
    "max_rss": MEMORY_WARNING_MIB * 1024,
    "poll": 0.5,
    "guard_cycle": 0.5,
    "label": "Task queue",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# Where services are and how often they may be asked, where that differs from sync/http/services.py.
SERVICES = objects("LISTKEEPER_SERVICES")
# Whether lists of IMDb may be asked for at the interface of its pages, which is for private use only.
IMDB_GRAPHQL = flag("LISTKEEPER_IMDB_GRAPHQL", False)
# Places that are not public and may be asked all the same, and whose certificates are trusted beside the usual ones.
OUTBOUND_ALLOW = words("LISTKEEPER_OUTBOUND_ALLOW", [])
CA_FILE = text("LISTKEEPER_CA_FILE")
# Seconds before a request is sent again: chance takes something off them, so that not all come back at once.
RETRY_PAUSES_S = (1.0, 2.0, 4.0)
RETRY_JITTER = choice("LISTKEEPER_RETRY_JITTER", "full", "full", "none")
# Keys that everybody here may use without typing them: of an application at Trakt or Simkl, or of TMDb.
_TMDB_KEY = text("LISTKEEPER_TMDB_KEY")
SERVICE_KEYS = {
    "trakt": {
        "client_id": text("LISTKEEPER_TRAKT_CLIENT_ID"),
        "client_secret": text("LISTKEEPER_TRAKT_CLIENT_SECRET"),
    },
    "simkl": {"client_id": text("LISTKEEPER_SIMKL_CLIENT_ID")},
    "tmdb": {"api_key" if len(_TMDB_KEY) == 32 else "token": _TMDB_KEY},
}

# What a file may be, and an archive become when it is unpacked. Accounts of Letterboxd come as one archive with a file
# for every list, so the number of files is not small.
ARCHIVE_MEMBERS = integer("LISTKEEPER_ARCHIVE_FILES", 1000, low=1, high=100_000)
ARCHIVE_UNPACKED_MIB = integer("LISTKEEPER_ARCHIVE_UNPACKED_MIB", 100, low=1, high=4096)
ARCHIVE_RATIO = integer("LISTKEEPER_ARCHIVE_RATIO", 100, low=2, high=10_000)
# How deep JSON and XML may nest, and how long a number may be: what is beyond was not written by a program that keeps lists.
NESTING = integer("LISTKEEPER_NESTING", 64, low=8, high=500)
NUMBER_LENGTH = integer("LISTKEEPER_NUMBER_LENGTH", 400, low=20, high=4000)
FILE_LINES = integer("LISTKEEPER_FILE_LINES", 2_000_000, low=1000, high=100_000_000)
FILE_ROWS = integer("LISTKEEPER_FILE_ROWS", 300_000, low=1000, high=100_000_000)
CSV_COLUMNS = integer("LISTKEEPER_CSV_COLUMNS", 256, low=10, high=10_000)
CSV_CELL_MIB = integer("LISTKEEPER_CSV_CELL_MIB", 8, low=1, high=64)
UPLOAD_LIMIT_MIB = integer("LISTKEEPER_UPLOAD_LIMIT_MIB", 64, low=1, high=1024)
UPLOAD_QUOTA_MIB = integer("LISTKEEPER_UPLOAD_QUOTA_MIB", 512, low=1, high=1_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
PREVIEW_LIFETIME = timedelta(hours=integer("LISTKEEPER_PREVIEW_HOURS", 24, low=1, high=720))
# Versions kept in full: so many, or those of so many days, whichever are more.
VERSIONS_KEPT = integer("LISTKEEPER_VERSIONS", 50, low=1, high=100_000)
VERSION_DAYS = integer("LISTKEEPER_VERSION_DAYS", 90, low=1, high=36_500)
RUN_DAYS = integer("LISTKEEPER_KEEP_RUNS_DAYS", 90, low=1, high=36_500)
BIN_LIFETIME = timedelta(days=integer("LISTKEEPER_BIN_DAYS", 30, low=1, high=3650))

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "lists:index"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
TIME_ZONE = time_zone("LISTKEEPER_TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_MANIFEST_STRICT = False

# Behind a proxy that speaks TLS to the world, set LISTKEEPER_HTTPS=yes: cookies are then for https only.
HTTPS = flag("LISTKEEPER_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = integer("LISTKEEPER_HSTS_SECONDS", 3600 if HTTPS else 0, low=0, high=63_072_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A hub at home is reached by plain http on purpose (W004, W008, W012, W016: LISTKEEPER_HTTPS turns them on); subdomains
# and preload lists are not ours to decide (W005, W021).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if not HTTPS:
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]

REST_FRAMEWORK = {
    # The first one says how to log in: with sessions first, who is nobody would be told 403 in place of 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.incoming.Basic",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.incoming.Json"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.answer_error",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Listkeeper",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    # Kinds and states of different things, named apart in the schema.
    "ENUM_NAME_OVERRIDES": {
        "ItemKind": "lists.models.Item.Kind",
        "VersionKind": "lists.models.Version.Kind",
        "RunKind": "sync.models.Run.Kind",
        "DifferenceKind": ["added", "removed", "changed", "moved"],
        "EntryState": "lists.models.Entry.State",
        "ProposalState": "lists.models.Proposal.State",
        "RunState": "sync.models.Run.State",
        "ListStrategy": "lists.models.Strategy",
        "RunCause": "sync.models.Run.Cause",
        "ConflictState": "lists.models.Conflict.State",
        "ConflictKind": "lists.models.Conflict.Kind",
        "YourRole": ["owner", "editor", "viewer"],
        "MemberRole": "lists.models.Membership.Role",
        "BatchState": "sync.models.Batch.State",
        "BatchStrategy": "sync.models.Batch.Strategy",
        "PartState": "sync.models.BatchPart.State",
        "Standing": "sync.standing.Standing",
        "SourceRole": "lists.models.Source.Role",
        "SourceMode": "lists.models.Source.Mode",
        "OrderMode": "lists.models.MediaList.OrderMode",
        "BlockScope": ["list", "mine", "all"],
    },
}

SIMPLE_HISTORY_DATE_INDEX = False  # history is read by (list, version) and by row; a date index would cost every sync
SIMPLE_HISTORY_REVERT_DISABLED = True  # it would write past the services; a rollback of the list is the way back

LOG_LEVEL = choice("LISTKEEPER_LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.Line", "format": "{asctime} {levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "urllib3": {"level": "ERROR"},  # else it writes down paths with all that stands in them
    },
}
