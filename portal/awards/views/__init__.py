"""The pages of awards: the agreement tab, the offer, the budget, the signatures."""

from portal.awards.views import offering, signing, tab
from portal.awards.views.blueprint import blueprint

__all__ = ["blueprint", "offering", "signing", "tab"]
