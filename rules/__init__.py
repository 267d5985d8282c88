"""The rule libraries that ship with egc, one theme a file."""
