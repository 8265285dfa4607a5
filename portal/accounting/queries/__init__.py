"""Reads of accounting: positions, entries, rates, yearly accounts, statements to donors."""
