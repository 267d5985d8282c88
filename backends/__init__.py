"""The backends that ship with egc, one module or folder each. They load when first used."""
