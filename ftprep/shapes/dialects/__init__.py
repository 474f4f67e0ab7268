"""The dialects: one value for each way in which providers and trainers write their records."""
