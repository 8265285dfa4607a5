"""Applications: from draft to decision; answers, budget, attachments, nominee, clarifications."""
