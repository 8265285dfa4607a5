"""The pretend card processor: it speaks as the real one does, and no money is in it.

In the demonstration the portal's settings lead here, so that giving by card can be tried without a
key: a page on which a donor pays, one on which the processor's own staff is played, and the
interface that the portal calls, with messages signed and delivered over HTTP. It is held against
the processor's own description by the tests.
"""

from portal.demo.stripe.api import blueprint as api
from portal.demo.stripe.hooks import Mailbox
from portal.demo.stripe.pages import blueprint as pages
from portal.demo.stripe.processor import KEY, Processor, init_processor, processor
from portal.demo.stripe.store import Store

__all__ = [
    "KEY",
    "Mailbox",
    "Processor",
    "Store",
    "api",
    "init_processor",
    "pages",
    "processor",
]
