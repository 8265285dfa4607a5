"""What the books say: position of a fund, yearly account, statements to donors, export."""
