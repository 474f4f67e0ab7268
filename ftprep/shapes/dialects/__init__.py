"""The dialects that are read and written: one file a family, each a value of the protocol in `shapes/dialect.py`."""
