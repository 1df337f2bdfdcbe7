"""A whole sign-in by django-allauth's login by code, on SQLite, through Django's test client: two
requests that go through the middleware and the views, with no socket between."""

import logging
import os
import re
import tempfile

import django
from django.conf import settings

import side

PEOPLE = 100
folder = tempfile.TemporaryDirectory(prefix="peers-")
settings.configure(
    SECRET_KEY="a secret for a comparison",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="routes",
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.path.join(folder.name, "theirs.db"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"},
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "allauth",
        "allauth.account",
        "allauth.headless",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    ACCOUNT_LOGIN_METHODS={"email"},
    ACCOUNT_SIGNUP_FIELDS=["email*"],
    ACCOUNT_LOGIN_BY_CODE_ENABLED=True,
    ACCOUNT_EMAIL_VERIFICATION="none",
    ACCOUNT_EMAIL_NOTIFICATIONS=False,
    ACCOUNT_RATE_LIMITS=False,
    HEADLESS_ONLY=True,
    HEADLESS_CLIENTS=["app"],
    LOGGING_CONFIG=None,
)
django.setup()
logging.disable()

from django.core import mail  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

PATH = "/_allauth/app/v1/auth/code/"


def address(number):
    return f"person-{number % PEOPLE}@example.org"


def accounts():
    """Everybody has an account before anything counts."""
    from allauth.account.models import EmailAddress
    from django.contrib.auth.models import User

    call_command("migrate", verbosity=0)
    for number in range(PEOPLE):
        email = address(number)
        user = User.objects.create_user(f"person-{number}", email)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)


def sign_in(email):
    client = Client()
    begun = client.post(PATH + "request", {"email": email}, "application/json")
    assert begun.status_code == 401, begun.content
    token = {"X-Session-Token": begun.json()["meta"]["session_token"]}
    code = re.search(r"^[A-Z0-9-]{6,}$", mail.outbox.pop().body, re.MULTILINE)
    typed = {"code": code.group()}
    done = client.post(PATH + "confirm", typed, "application/json", headers=token)
    assert done.status_code == 200, done.content


at = 0


def work(count):
    global at
    for _ in range(count):
        at += 1
        sign_in(address(at))


mail.outbox = []
accounts()
side.play(work)
