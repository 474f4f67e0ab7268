"""Submitting fine-tuning jobs exactly once, and following them: providers behind one protocol, and a ledger on disk."""
