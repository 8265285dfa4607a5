"""People, organisations, roles, sign-in and the access rules that stand on them."""
