"""Background work of payments: files to the bank, and what comes back."""

from portal.core import jobs
from portal.payments import exchange
from portal.payments.rails import bank
from portal.payments.service import by_processor


@jobs.sweep("payment files", eager=True)
def write_payment_files() -> None:
    """Write released orders into files.

    What must not leave any more is withdrawn first, so that the rest enters another file.
    """
    for _file in exchange.withdraw_all():
        pass
    for _file in exchange.gather_all():
        pass


@jobs.sweep("payment files to the bank", eager=True)
def take_payment_files_to_the_bank() -> None:
    """Send kept files where the bank takes them from a folder, whether or not new ones came."""
    if bank.drop_folder() is not None:
        for _file in exchange.send_all():
            pass


@jobs.sweep("bank messages")
def read_bank_messages() -> None:
    """Take in what the bank put into its folder."""
    folder = bank.pickup_folder()
    if folder is not None:
        for _read in exchange.poll(folder):
            pass


@jobs.sweep("statement lines", eager=True)
def book_statement_lines() -> None:
    """Book the lines of statements that were imported, and what a crash left of them."""
    for _done in exchange.book_all():
        pass


@jobs.sweep("payments by the card processor", every_minutes=5)
def pay_by_processor() -> object:
    """Take one step of one payment that leaves through the card processor, then the next."""
    return by_processor.pay_next()
