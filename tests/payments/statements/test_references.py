"""References of ours in what donors and grantees write, and banks cut and fill up."""

import pytest

from portal.payments.statements.rules import payouts, references

ONE, OTHER = "7K3M-Q9PX", "ABCD-2345"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"CONTRIBUTION {ONE} SECOND INSTALMENT", [ONE]),
        ("7k3mq9px", [ONE]),
        ("/ROC/7K3M Q9PX//URI/AID", [ONE]),
        (f"{ONE} AND {OTHER}", [ONE, OTHER]),
        ("7K3M-Q9P", []),
        (f"ref{ONE}aid", []),
        ("", []),
        ("7К3М-Q9РХ", []),  # Cyrillic look-alikes
    ],
)
def test_a_reference_is_found_in_the_noise_of_banks(text: str, found: list[str]) -> None:
    assert references(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("STRIPE PAYMENTS po_1Abc2Def", ["STRIPE", "PO1ABC2DEF"]),
        ("/ref/po1abc2def", ["PO1ABC2DEF"]),
        ("Stripe Payments Europe Ltd", ["STRIPE"]),
        ("A donor", []),
    ],
)
def test_a_payout_is_found_by_its_identifier_or_the_name(text: str, found: list[str]) -> None:
    assert payouts(text) == found
