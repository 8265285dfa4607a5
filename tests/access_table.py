"""Who is let in where: every endpoint of the portal, declared a second time and by hand.

A feature adds its endpoints here. Being let in is the first door only: which rows somebody then
finds is tested with the feature, by its policy.
"""

from portal.accounts.models import Role

VISITOR = "visitor"
APPLICANT = "applicant"
ANYBODY = frozenset({VISITOR, APPLICANT, *(role.value for role in Role)})
MEMBERS = ANYBODY - {VISITOR}


def holders(*roles: Role) -> frozenset[str]:
    """Return those who hold one of `roles`, for whatever fund."""
    return frozenset(role.value for role in roles)


CALL_READERS = holders(
    Role.PROGRAMME_OFFICER,
    Role.BOARD_SECRETARY,
    Role.APPROVING_AUTHORITY,
    Role.FINANCE_OFFICER,
    Role.AUDITOR,
)

READERS_AND_REVIEWERS = ANYBODY - {
    VISITOR,
    APPLICANT,
    Role.DONOR_RELATIONS.value,
    Role.PUBLICATION.value,
    Role.ADMINISTRATOR.value,
}
REVIEWERS = holders(Role.TASK_FORCE, Role.TRUSTEE)
RANKING_READERS = holders(
    Role.PROGRAMME_OFFICER, Role.BOARD_SECRETARY, Role.APPROVING_AUTHORITY, Role.AUDITOR
)

SCORE_READERS = holders(
    Role.PROGRAMME_OFFICER,
    Role.BOARD_SECRETARY,
    Role.APPROVING_AUTHORITY,
    Role.AUDITOR,
)

PAYERS = holders(
    Role.PROGRAMME_OFFICER,
    Role.FINANCE_OFFICER,
    Role.CERTIFYING_OFFICER,
    Role.APPROVING_OFFICER,
    Role.TREASURY,
)

LET_IN: dict[str, frozenset[str]] = {
    "static": ANYBODY,
    "home.show": MEMBERS,
    "accounts.sign_in": ANYBODY,
    "accounts.sign_in_again": ANYBODY,
    "accounts.sign_out": ANYBODY,
    "accounts.signed_out": ANYBODY,
    "accounts.language": ANYBODY,
    "accounts.register": ANYBODY,
    "accounts.registered": ANYBODY,
    "accounts.confirm": ANYBODY,
    "accounts.join": ANYBODY,
    "accounts.forgot": ANYBODY,
    "accounts.forgot_sent": ANYBODY,
    "accounts.reset": ANYBODY,
    "accounts.confirm_identity": MEMBERS,
    "accounts.profile": MEMBERS,
    "accounts.change_password": MEMBERS,
    "accounts.sign_out_everywhere": MEMBERS,
    "accounts.organisations": MEMBERS,
    "accounts.create_organisation": MEMBERS,
    "accounts.organisation": MEMBERS,
    "accounts.edit_organisation": MEMBERS,
    "accounts.invite": MEMBERS,
    "accounts.remove_member": MEMBERS,
    "accounts.change_member_role": MEMBERS,
    "funds.calls": CALL_READERS,
    "funds.create_call": holders(Role.PROGRAMME_OFFICER),
    "funds.call": CALL_READERS,
    "funds.edit_call": holders(Role.PROGRAMME_OFFICER),
    "funds.open_call": holders(Role.PROGRAMME_OFFICER),
    "funds.cancel_call": holders(Role.PROGRAMME_OFFICER),
    "funds.decide_call": CALL_READERS,
    "publication.front": ANYBODY,
    "publication.calls": ANYBODY,
    "publication.call": ANYBODY,
    "publication.form": ANYBODY,
    "publication.fund": ANYBODY,
    "publication.fund_form": ANYBODY,
    "publication.figures": ANYBODY,
    "publication.how_to_apply": ANYBODY,
    "publication.privacy": ANYBODY,
    "publication.accessibility": ANYBODY,
    "applications.start": MEMBERS,
    "applications.mine": MEMBERS,
    "applications.tasks": MEMBERS,
    "applications.section": MEMBERS,
    "applications.check": MEMBERS,
    "applications.submit": MEMBERS,
    "applications.receipt": MEMBERS,
    "applications.receipt_pdf": MEMBERS,
    "applications.submitted_json": MEMBERS,
    "applications.reopen": MEMBERS,
    "applications.withdraw": MEMBERS,
    "applications.remove_attachment": MEMBERS,
    "applications.download": MEMBERS,
    "applications.overview": MEMBERS,
    "applications.read": MEMBERS,
    "applications.read_sealed": MEMBERS,
    "applications.dossier": MEMBERS,
    "applications.sensitivity": MEMBERS,
    "applications.mark_sensitive": MEMBERS,
    "applications.ask": MEMBERS,
    "applications.answer": MEMBERS,
    "applications.files": READERS_AND_REVIEWERS,
    "applications.files_csv": READERS_AND_REVIEWERS,
    "reviews.screening_list": holders(Role.PROGRAMME_OFFICER),
    "reviews.screening": holders(Role.PROGRAMME_OFFICER),
    "reviews.inadmissible": holders(Role.PROGRAMME_OFFICER),
    "reviews.entitlement": holders(Role.PROGRAMME_OFFICER),
    "reviews.mine": REVIEWERS,
    "reviews.interests": REVIEWERS,
    "reviews.score": REVIEWERS,
    "reviews.autosave": REVIEWERS,
    "reviews.calls": RANKING_READERS,
    "reviews.ranking": REVIEWERS | RANKING_READERS,
    "reviews.recommendation": RANKING_READERS,
    "reviews.make": RANKING_READERS,
    "reviews.approve": holders(Role.APPROVING_AUTHORITY),
    "reviews.send_back": holders(Role.APPROVING_AUTHORITY),
    "payments.payments_tab": MEMBERS,
    "payments.prepare": MEMBERS,
    "payments.balance": MEMBERS,
    "payments.refund": MEMBERS,
    "payments.close": MEMBERS,
    "payments.bank": MEMBERS,
    "payments.order": MEMBERS,
    "payments.acknowledge": MEMBERS,
    "payments.queue": PAYERS,
    "payments.check_bank": PAYERS,
    "payments.certify": PAYERS,
    "payments.approve": PAYERS,
    "payments.release": PAYERS,
    "payments.instruction": PAYERS,
    "payments.confirm": PAYERS,
    "payments.reject": PAYERS,
    "payments.give_back": PAYERS,
    "payments.cancel": PAYERS,
    "reviews.review_tab": MEMBERS,
    "reviews.decision": MEMBERS,
    "reviews.letter": MEMBERS,
    "awards.agreement_tab": MEMBERS,
    "awards.offer": MEMBERS,
    "awards.revise": MEMBERS,
    "awards.accept": MEMBERS,
    "awards.countersign": MEMBERS,
    "awards.move": MEMBERS,
    "awards.download": MEMBERS,
    "awards.signatures": MEMBERS,
    "admin.people": holders(Role.ADMINISTRATOR),
    "admin.person": holders(Role.ADMINISTRATOR),
    "admin.grant_role": holders(Role.ADMINISTRATOR),
    "admin.end_role": holders(Role.ADMINISTRATOR),
    "admin.close_account": holders(Role.ADMINISTRATOR),
    "admin.reopen_account": holders(Role.ADMINISTRATOR),
    "admin.outbox": ANYBODY,  # of a demonstration, as tests are
    "admin.retry": holders(Role.ADMINISTRATOR),
    "admin.audit": holders(Role.AUDITOR),
    "admin.audit_csv": holders(Role.AUDITOR),
    "admin.whole_chain": holders(Role.AUDITOR),
    "admin.chain_file": holders(Role.AUDITOR),
    "admin.verifier": holders(Role.AUDITOR),
    "admin.history_tab": MEMBERS,
    "admin.why_granted": SCORE_READERS,
    "admin.recusal_reasons": SCORE_READERS,
    "admin.why_pdf": SCORE_READERS,
}
