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

__all__ = [
    "PASSWORD",
    "administrator",
    "last_link",
    "last_token",
    "member",
    "messages",
    "organisation",
    "person",
    "signed_up",
]
