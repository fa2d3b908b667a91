"""All settings of Listkeeper, read from the environment; docs/configuration.md lists them."""

from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet

from config.env import SQLITE, choice, data_folder, database, env, flag, integer, secret, text, time_zone, words

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
# "database is locked", whatever the timeout. FULL: the last commits survive a power cut.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY;",
}
DATABASES = {"default": database("DATABASE_URL", default=DATA_DIR / "listkeeper.sqlite3")}
if DATABASES["default"]["ENGINE"] == SQLITE:
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The task carries a run's id and nothing else; the Run table is the truth (docs/architecture.md). `retry` is
# django-q2's redelivery, not our retry: it must never come before a task's end.
MAX_RUN_S = integer("LISTKEEPER_MAX_RUN_SECONDS", 1800, low=10, high=86_400)
WORKERS = integer("LISTKEEPER_WORKERS", 2, low=1, high=64)
REDIS_URL = text("REDIS_URL")
Q_CLUSTER = {
    "name": "listkeeper",
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
    "poll": 0.5,
    "guard_cycle": 0.5,
    "label": "Task queue",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

UPLOAD_LIMIT_MIB = integer("LISTKEEPER_UPLOAD_LIMIT_MIB", 64, low=1, high=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
PREVIEW_LIFETIME = timedelta(hours=integer("LISTKEEPER_PREVIEW_HOURS", 24, low=1, high=720))
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
        "ConflictState": "lists.models.Conflict.State",
        "ConflictKind": "lists.models.Conflict.Kind",
        "YourRole": ["owner", "editor", "viewer"],
        "MemberRole": "lists.models.Membership.Role",
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
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"django-q": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}
