"""Statements of the funds' bank accounts: what the bank says, line by line, and what it means.

A file is taken whole or not at all, each line is booked once, and what nobody can match waits in
suspense for a person.
"""
