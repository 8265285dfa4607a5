"""The books: one set per fund, double entry, append-only; commitments; rates of exchange."""
