"""The pages of payments."""

from portal.payments.views import bank, casefile, closing, orders, queue
from portal.payments.views.blueprint import blueprint

__all__ = ["bank", "blueprint", "casefile", "closing", "orders", "queue"]
