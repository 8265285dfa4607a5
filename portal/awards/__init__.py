"""Awards: offer, agreement, revised budget, instalments."""
