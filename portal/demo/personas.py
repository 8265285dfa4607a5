"""Whom one can be in the demonstration, and what each of them can do in it now."""

from collections.abc import Sequence
from dataclasses import dataclass

from babel.support import LazyProxy

from portal.core.i18n import _l
from portal.demo import content

PASSWORD = "lanterns over the quiet river"  # noqa: S105 — of people who do not exist
"""The one password of everybody in the story; the command prints it."""


@dataclass(frozen=True)
class Persona:
    """Somebody of the story whom a visitor can be."""

    key: str
    email: str
    name: str
    part: LazyProxy
    now: LazyProxy


@dataclass(frozen=True)
class Cast:
    """Personas that belong together, under one heading."""

    heading: LazyProxy
    personas: Sequence[Persona]


def _staff(key: str, part: LazyProxy, now: LazyProxy) -> Persona:
    person = content.person(key)
    return Persona(key, person.email, person.name, part, now)


def _applicant(key: str, part: LazyProxy, now: LazyProxy) -> Persona:
    where = content.organisation(key)
    return Persona(key, where.email, where.person, part, now)


def casts() -> list[Cast]:
    """Return everybody whom a visitor can be, in the order in which a grant meets them."""
    return [
        Cast(_l("People who apply"), _applicants()),
        Cast(_l("People who choose"), _choosers()),
        Cast(_l("People who pay"), _payers()),
        Cast(_l("People who look after the whole"), _keepers()),
    ]


def _applicants() -> list[Persona]:
    return [
        _applicant(
            "illariy",
            _l("Community radio in Peru"),
            _l("Finish an application that is half written, check it and submit it."),
        ),
        _applicant(
            "hakaya",
            _l("Reading room in Jordan, in Arabic"),
            _l("Answer a question of the programme officer about the application."),
        ),
        _applicant(
            "lantern",
            _l("Theatre group in Kenya"),
            _l("Bring the budget down to the amount of the award, then accept the agreement."),
        ),
        _applicant(
            "ccopa",
            _l("Individual grantee in Peru"),
            _l("Write the final report, which is overdue."),
        ),
        _applicant(
            "rummana",
            _l("Women's association in Jordan, in Arabic"),
            _l("Correct a final report that came back with comments."),
        ),
        _applicant(
            "cabo_verde",
            _l("Ministry that carries out recommendations of the review"),
            _l("Read the signed agreement, and begin the mid-term report that comes next."),
        ),
        _applicant(
            "malawi",
            _l("Permanent mission that sent a delegate to Geneva"),
            _l("Write the mission report after the stay."),
        ),
    ]


def _choosers() -> list[Persona]:
    return [
        _staff(
            "officer",
            _l("Programme officer of the small grants and of technical cooperation"),
            _l("Screen applications, ask a question, make offers, look at reports."),
        ),
        _staff(
            "kenya_2",
            _l("Member of the task force in Kenya"),
            _l("Finish a score sheet: two others are in, and stay hidden until this one is."),
        ),
        _staff(
            "kenya_4",
            _l("Member of the task force in Kenya, with a conflict of interest"),
            _l("Look for the application that does not exist for somebody who is recused."),
        ),
        _staff(
            "trustee_west",
            _l("Trustee of the board"),
            _l("Declare interests, then score a Government's request."),
        ),
        _staff(
            "secretary",
            _l("Secretary of the board"),
            _l("See the ranking of the board and prepare its recommendation."),
        ),
        _staff(
            "authority",
            _l("Approving authority"),
            _l("Approve a recommendation or send it back; countersign an agreement."),
        ),
        _staff(
            "officer_upr",
            _l("Programme officer of the funds for States"),
            _l("Check entitlements and propose requests in the published order of priority."),
        ),
    ]


def _payers() -> list[Persona]:
    return [
        _staff(
            "finance",
            _l("Finance officer"),
            _l("Verify bank details, review the spending of a report."),
        ),
        _staff(
            "finance_2",
            _l("Finance officer, the second"),
            _l("Confirm a payment that the country office has made."),
        ),
        _staff("certifier", _l("Certifying officer"), _l("Certify the use of funds of a payment.")),
        _staff("approver", _l("Approving officer"), _l("Approve a payment that was certified.")),
        _staff(
            "approver_2",
            _l("Approving officer, the second"),
            _l("Approve a large payment as the second; confirm an account of a fund."),
        ),
        _staff("treasury", _l("Treasury"), _l("Release a payment that was approved.")),
    ]


def _keepers() -> list[Persona]:
    return [
        _staff(
            "auditor",
            _l("Auditor"),
            _l("Read every file, and ask why a grant was made. Change nothing."),
        ),
        _staff("administrator", _l("Administrator"), _l("Look after people and their roles.")),
        _staff(
            "donors",
            _l("Donor-relations officer"),
            _l("See what donors gave, what is overdue, and draft the agreement on a pledge."),
        ),
        _staff(
            "publication",
            _l("Publication officer"),
            _l("See what the public may see."),
        ),
    ]


def persona(key: str) -> Persona:
    """Return one persona. KeyError when there is none."""
    for cast in casts():
        for each in cast.personas:
            if each.key == key:
                return each
    raise KeyError(key)


def whom_to_sign_in_as() -> list[tuple[str, str]]:
    """Return (who it is, address) of everybody whom a visitor can be."""
    return [(str(each.part), each.email) for cast in casts() for each in cast.personas]
