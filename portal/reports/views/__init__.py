"""The pages of reports: the tab, writing, handing in, reading, reviewing."""

from portal.reports.views import evidence, figures, reading, reviewing, writing
from portal.reports.views.blueprint import blueprint

__all__ = ["blueprint", "evidence", "figures", "reading", "reviewing", "writing"]
