"""The pages of administration, of the audit and of histories."""

from portal.admin.views import auditing, histories, outbox, people
from portal.admin.views.blueprint import blueprint

__all__ = ["auditing", "blueprint", "histories", "outbox", "people"]
