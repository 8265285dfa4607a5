"""Donors, pledges, agreements, and the money that arrives."""
