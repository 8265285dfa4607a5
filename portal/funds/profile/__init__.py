"""A fund is a file: the schema of a fund's profile, and how a profile is read.

A profile says everything in which one fund differs from another: who may apply, which stages the
process has, the form with its questions, the budget, the criteria, the instalments, the reports,
and the sentence that each rule is quoted with. It is validated when it is read and frozen, as
JSON, into each call that opens; adding a fund is adding a file.
"""

from portal.funds.profile.base import Mark, Source
from portal.funds.profile.files import PROFILES, BadProfile, load_profile, load_profiles
from portal.funds.profile.form import AttachmentRule, Choice, Question, Section
from portal.funds.profile.grant import (
    Budget,
    Category,
    Criterion,
    InstalmentRule,
    PriorityRule,
    ReportRule,
)
from portal.funds.profile.messages import extract_messages, human_texts
from portal.funds.profile.model import Profile
from portal.funds.profile.process import (
    EligibilityRule,
    Process,
    RuleText,
    Stage,
    StationRule,
    Step,
    Terms,
)

__all__ = [
    "PROFILES",
    "AttachmentRule",
    "BadProfile",
    "Budget",
    "Category",
    "Choice",
    "Criterion",
    "EligibilityRule",
    "InstalmentRule",
    "Mark",
    "PriorityRule",
    "Process",
    "Profile",
    "Question",
    "ReportRule",
    "RuleText",
    "Section",
    "Source",
    "Stage",
    "StationRule",
    "Step",
    "Terms",
    "extract_messages",
    "human_texts",
    "load_profile",
    "load_profiles",
]
