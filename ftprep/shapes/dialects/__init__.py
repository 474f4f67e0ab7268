"""The dialects: one file a family; `catalogue` has all, and is imported only where a record is none of the usual."""
