"""How this installation reads notes: the library's readers, and a user's spaCy pipeline where the settings name one."""

from __future__ import annotations

from functools import lru_cache

import matcher
from matcher.domain import PatientProfile
from matcher.notes import RECOGNISERS, Recogniser, pipeline_entities
from models.artefacts import ArtefactError
from workers.settings import SettingsError, load_settings


def read_note(text: str, note_id: str = "note") -> PatientProfile:
    """As `matcher.read_note`. Raises SettingsError where ELIGO_SPACY_MODEL names a pipeline that cannot be loaded."""
    name = load_spacy_model()
    return matcher.read_note(text, note_id, (*RECOGNISERS, _pipeline(name))) if name else matcher.read_note(text, note_id)


@lru_cache(maxsize=1)
def load_spacy_model() -> str:
    return load_settings().spacy_model


@lru_cache(maxsize=1)
def _pipeline(name: str) -> Recogniser:
    try:
        return pipeline_entities(name)
    except ArtefactError as error:
        raise SettingsError(f"ELIGO_SPACY_MODEL: {error}") from None
