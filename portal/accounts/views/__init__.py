"""Pages of accounts: signing in and out, registering, the profile, organisations."""

from portal.accounts.views import organisations, passwords, people, profile, signing
from portal.accounts.views.blueprint import blueprint

__all__ = ["blueprint", "organisations", "passwords", "people", "profile", "signing"]
