"""Review: screening, conflicts of interest, score sheets, recommendations and decisions."""
