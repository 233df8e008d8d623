"""What the program knows: the vocabulary as data with sources, and the trained artefacts. Imports nothing of ours."""

from models.vocabulary import Vocabulary, VocabularyError, load_vocabulary

__all__ = ["Vocabulary", "VocabularyError", "load_vocabulary"]
