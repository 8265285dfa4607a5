"""Typed builders that get there by the services' own verbs, as a person would."""

from tests.make.accounts import (
    PASSWORD,
    administrator,
    last_link,
    last_token,
    member,
    messages,
    organisation,
    person,
    signed_up,
)
from tests.make.funds import call, draft_call, officer, profiles, terms

__all__ = [
    "PASSWORD",
    "administrator",
    "call",
    "draft_call",
    "last_link",
    "last_token",
    "member",
    "messages",
    "officer",
    "organisation",
    "person",
    "profiles",
    "signed_up",
    "terms",
]
