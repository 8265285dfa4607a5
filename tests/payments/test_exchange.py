"""Files of the pickup folder: one that the database refuses holds up no other."""

from pathlib import Path

import sqlalchemy as sa

from portal.core.db import session
from portal.ledger import queries as ledger
from portal.payments import exchange
from tests.make import payments as make
from tests.payments.conftest import World
from tests.payments.statements.teller import Move, Teller


def test_a_file_that_the_database_refuses_is_put_away_with_the_reason(
    world: World, tmp_path: Path
) -> None:
    account = make.fund_account(who=world.till)
    balance = ledger.bank_balance(account.fund_code, account.currency)
    teller = Teller(account.account, account.currency, balance.minor)
    content = teller.file(Move(100)).getvalue()
    (tmp_path / "a.xml").write_bytes(content)
    (tmp_path / "b.xml").write_bytes(b"<nothing/>")
    session.execute(sa.text("ALTER TABLE statement ADD CONSTRAINT no CHECK (false) NOT VALID"))
    session.commit()
    found = {each.name: each.refusal for each in exchange.poll(tmp_path)}
    assert set(found) == {"a.xml", "b.xml"}
    assert "(IntegrityError). Tell whoever runs the portal" in found["a.xml"]
    assert (tmp_path / "refused" / "a.txt").read_text().strip() == found["a.xml"]
    session.execute(sa.text("ALTER TABLE statement DROP CONSTRAINT no"))
    session.commit()
    (tmp_path / "refused" / "a.xml").rename(tmp_path / "a.xml")
    [again] = exchange.poll(tmp_path)
    assert (again.name, again.refusal) == ("a.xml", "")
