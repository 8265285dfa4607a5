"""The demonstration: a story told by the services' own verbs, and the people one can be in it.

Nothing here exists outside demo mode: no account, no page, no route.
"""

from portal.demo.personas import PASSWORD, whom_to_sign_in_as

__all__ = ["PASSWORD", "whom_to_sign_in_as"]
