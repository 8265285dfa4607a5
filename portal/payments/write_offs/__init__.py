"""Writing off what a grantee will not pay back (R25): proposed by finance, approved by two others.

Nothing is removed: what was owed stays on record, beside who decided that it will not come.
"""
