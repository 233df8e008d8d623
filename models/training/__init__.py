"""Steps behind `make train`: invented text with known entities, the two trained parts of the note reader, and their figures.

Nothing of the program imports this package.
"""
