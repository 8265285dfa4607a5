"""Payments: bank details, orders, certify / approve / release, rails, receivables, closing."""
