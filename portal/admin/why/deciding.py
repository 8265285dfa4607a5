"""How the decision came about: what was asked, checked, recommended and decided, and by whom."""

from portal.admin.why.records import File, Row, moment
from portal.admin.why.steps import Part, Recusal, Step, dollars, word
from portal.applications.models import Application
from portal.awards.models import AwardStatus
from portal.core.i18n import _, locale, translated
from portal.core.money import format_money
from portal.reviews.models import Finding, RecommendationStatus, Verdict


def answer(application: Application, file: File) -> list[tuple[str, str]]:
    """Return the short answer: what was asked, recommended, decided and paid, and the reasons."""
    asked = format_money(application.requested_dollars, str(locale()))
    found = [(_("Asked for"), asked)]
    if file.of("decisions"):
        decision = file.one("decisions")
        found += [
            (_("Decision"), _("Grant approved") if decision["approved"] else _("Not selected")),
            (_("Granted"), dollars(decision["amount_usd"])),
            (_("Reasons"), decision["reasons"]),
        ]
    if file.of("instalments"):
        paid = sum(row["paid_usd"] for row in file.of("instalments"))
        found.append((_("Paid so far"), dollars(paid)))
    if file.of("awards"):
        found.append((_("The grant is"), word(AwardStatus, file.one("awards")["status"])[0]))
    return found


def eligibility(application: Application, file: File) -> list[Part]:
    """Return what was submitted and what screening found, each item with rule and source."""
    submitted = [
        Step(
            _("Submission %(number)s", number=row["number"]),
            file.name(row["by_id"]),
            moment(row["at"]),
            digest=row["digest"],
        )
        for row in file.of("submissions")
    ]
    checked = [_item(application, row, file) for row in file.of("screening")]
    parts = [
        Part(_("What was submitted"), submitted),
        Part(_("Eligibility"), checked, _("The checklist is not drawn up yet.")),
    ]
    if file.of("entitlement"):
        checks = [_entitled(row, file) for row in file.of("entitlement")]
        parts.append(Part(_("Entitlement"), checks))
    return parts


def _item(application: Application, row: Row, file: File) -> Step:
    label, tone = word(Finding, row["finding"])
    sentence, source = _rule(application, row["key"], row["rule"])
    return Step(
        sentence,
        file.name(row["checked_by_id"]),
        moment(row["checked_at"]),
        outcome=label,
        tone=tone,
        detail=_machine(row),
        text=row["note"],
        rule=_("%(rule)s: %(source)s", rule=row["rule"], source=source) if source else row["rule"],
    )


def _machine(row: Row) -> str:
    """Return what the machine found, where a person had to judge or found otherwise."""
    if row["outcome"] is None:
        return _("Judged by a person: the portal cannot tell.")
    if row["outcome"] is (row["finding"] == Finding.MET.value):
        return ""
    return _("The portal found it met.") if row["outcome"] else _("The portal found it not met.")


def _rule(application: Application, key: str, rule: str) -> tuple[str, str]:
    """Return the sentence and the source of a checklist item, by the profile in the call."""
    for each in application.fund.eligibility:
        name = f"attachment:{each.params['key']}" if each.check == "attachment" else each.check
        if name == key:
            return translated(each.sentence), translated(each.source.text)
    try:
        quoted = application.fund.quote(rule)
    except KeyError:
        return rule, ""
    return translated(quoted.sentence), translated(quoted.source.text)


def _entitled(row: Row, file: File) -> Step:
    return Step(
        _("Entitled to support"),
        file.name(row["checked_by_id"]),
        moment(row["checked_at"]),
        outcome=_("Checked"),
        tone="good",
        detail=", ".join(str(flag).upper() for flag in row["facts"].get("flags", [])),
        text=row["note"],
        rule="R15",
    )


def recusals(file: File, opened: dict[str, str] | None) -> list[Recusal]:
    """Return who stepped aside; with reasons only where they were opened for the reader."""
    return [
        Recusal(
            file.name(row["person_id"]),
            moment(row["declared_at"]),
            None if opened is None else opened.get(row["id"], ""),
        )
        for row in file.of("recusals")
    ]


def decided(file: File) -> list[Step]:
    """Return what was recommended round by round, and the decision."""
    lines = {row["recommendation_id"]: row for row in file.of("lines")}
    steps = []
    for row in file.of("recommendations"):
        steps.append(_recommended(row, lines[row["id"]], file))
        if row["decided_at"]:
            label, tone = word(RecommendationStatus, row["status"])
            steps.append(
                Step(
                    _("Approving authority, round %(round)s", round=row["round"]),
                    file.name(row["decided_by_id"]),
                    moment(row["decided_at"]),
                    outcome=label,
                    tone=tone,
                    text=row["remarks"],
                    rule="R14",
                )
            )
    return steps + [
        Step(
            _("Decision told to the applicant"),
            file.name(row["decided_by_id"]),
            moment(row["decided_at"]),
            outcome=_("Approved") if row["approved"] else _("Not approved"),
            tone="good" if row["approved"] else "stop",
            detail=dollars(row["amount_usd"]) if row["approved"] else "",
            text=row["reasons"],
            rule=row["rule"] or "R20",
        )
        for row in file.of("decisions")
    ]


def _recommended(row: Row, line: Row, file: File) -> Step:
    label, tone = word(Verdict, line["verdict"])
    asked, amount = dollars(line["requested_usd"]), dollars(line["recommended_usd"])
    detail = _("%(amount)s of the %(asked)s asked for.", amount=amount, asked=asked)
    if file.whole_ranking:
        place = _("Rank %(rank)s in the list of the call.", rank=line["rank"])
        detail = f"{place} {detail}"
    return Step(
        _("Recommendation, round %(round)s", round=row["round"]),
        file.name(row["made_by_id"]),
        moment(row["made_at"]),
        outcome=label,
        tone=tone,
        detail=detail,
        text=line["reasons"],
        rule="R19",
    )
