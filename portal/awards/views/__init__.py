"""The pages of awards: the agreement tab, the offer, the budget, the signatures."""

from portal.awards.views import amending, offering, signing, tab
from portal.awards.views.blueprint import blueprint

__all__ = ["amending", "blueprint", "offering", "signing", "tab"]
