"""Reports: what a grantee owes; narrative, spending by budget line, people reached."""
