"""The verbs of accounts: each changes, records an audit event, queues what has to be told.

Nothing here commits or speaks HTTP. Verbs that meet a wrong password raise `Refused`; their
caller returns a page rather than let it pass, so that the failed attempt is counted.
"""

from portal.accounts.service.links import find_link
from portal.accounts.service.organisations import (
    accept_invite,
    change_member_role,
    create_organisation,
    edit_organisation,
    invite,
    remove_member,
)
from portal.accounts.service.people import (
    accept_admin_link,
    change_password,
    confirm,
    edit_profile,
    has_account,
    join_by_link,
    make_admin_link,
    register,
    reset_password,
    send_reset_link,
)
from portal.accounts.service.roles import (
    correct_nationality,
    deactivate,
    end_role,
    grant_role,
    reactivate,
)
from portal.accounts.service.sessions import (
    Entry,
    confirm_identity,
    end_all_sessions,
    end_session,
    refresh,
    session_for,
    sign_in,
    start_session,
)

__all__ = [
    "Entry",
    "accept_admin_link",
    "accept_invite",
    "change_member_role",
    "change_password",
    "confirm",
    "confirm_identity",
    "correct_nationality",
    "create_organisation",
    "deactivate",
    "edit_organisation",
    "edit_profile",
    "end_all_sessions",
    "end_role",
    "end_session",
    "find_link",
    "grant_role",
    "has_account",
    "invite",
    "join_by_link",
    "make_admin_link",
    "reactivate",
    "refresh",
    "register",
    "remove_member",
    "reset_password",
    "send_reset_link",
    "session_for",
    "sign_in",
    "start_session",
]
