"""People and roles, messages that left, the audit chain, and the reasons behind each grant."""
