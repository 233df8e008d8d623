"""The note reader: a note becomes a PatientProfile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matcher.domain import ConditionFact, Course, Lab, PatientProfile, Status, Treatment
from matcher.notes.allergies import read_allergies
from matcher.notes.conditions import read_conditions
from matcher.notes.demographics import read_age, read_note_date, read_sex
from matcher.notes.document import Document
from matcher.notes.electrocardiogram import read_ecg
from matcher.notes.markers import read_markers
from matcher.notes.measurements import read_labs, read_performance
from matcher.notes.prognosis import read_life_expectancy
from matcher.notes.recognition import RECOGNISERS, Recogniser, pipeline_entities, recognise, unrecognised
from matcher.notes.therapy import read_therapy
from matcher.notes.transcript import transcribe
from models import load_vocabulary

__all__ = ["RECOGNISERS", "Recogniser", "pipeline_entities", "read_note"]


def read_note(text: str, note_id: str = "note", recognisers: Sequence[Recogniser] = RECOGNISERS) -> PatientProfile:
    """All that the note says. Total: any text gives a profile; what the note does not say stays None or unlisted.

    `recognisers` find names that the rules do not know: ours, and those of a user's pipeline (`pipeline_entities`).
    """
    transcript = transcribe(text)
    return replace(transcript.quoted(read_document(recognise(Document(transcript.text), recognisers), note_id)), text=text)


def read_document(doc: Document, note_id: str = "note") -> PatientProfile:
    """What the rules read of a text as it stands."""
    note_date = read_note_date(doc)
    conditions = read_conditions(doc, note_date)
    markers = read_markers(doc, conditions)
    therapy = read_therapy(doc, note_date, conditions)
    ecog, kps = read_performance(doc, note_date)
    return PatientProfile(
        note_id=note_id,
        note_date=note_date,
        age_years=read_age(doc, note_date),
        sex=read_sex(doc),
        conditions=_done(_with_findings(conditions, markers, doc), therapy.treatments),
        disease_state=therapy.disease_state,
        n_lines=therapy.n_lines,
        lines=therapy.lines,
        refractory_to=therapy.refractory_to,
        bcma=therapy.bcma,
        transplants=therapy.transplants,
        labs=_of_kidneys(read_labs(doc, note_date), markers),
        ecog=ecog,
        kps=kps,
        treatments=therapy.treatments,
        allergies=read_allergies(doc),
        life_expectancy_days=read_life_expectancy(doc),
        complete_history=therapy.complete_history,
        flags=(*therapy.flags, *unrecognised(therapy.treatments)),
    )


def _with_findings(conditions: tuple[ConditionFact, ...], markers: tuple[ConditionFact, ...], doc: Document) -> tuple[ConditionFact, ...]:
    """The conditions, and what tests of their own reader found; one entry an id."""
    ecg = read_ecg(doc)
    findings = (*markers, *([ecg] if ecg else []))
    read = {f.id for f in findings}
    return (*(c for c in conditions if c.id not in read), *findings)


def _done(conditions: tuple[ConditionFact, ...], treatments: tuple[Treatment, ...]) -> tuple[ConditionFact, ...]:
    """A procedure that is a state of the patient as well (dialysis, a transplanted kidney) is one where it was done: "not needed"
    denies it, and one that is awaited or declined is none."""
    drugs = load_vocabulary().drugs
    not_done = [(e, t.course) for t in treatments if t.course not in (Course.GIVEN, Course.ONGOING) and t.agent not in drugs for e in t.evidence]
    if not not_done:
        return conditions
    kept = []
    for fact in conditions:
        courses = [next((course for at, course in not_done if at.start < e.end and e.start < at.end), None) for e in fact.evidence] if fact.status in (Status.PRESENT, Status.HISTORICAL) else []
        if not courses or None in courses:
            kept.append(fact)
        elif Course.ABSENT in courses:
            kept.append(replace(fact, status=Status.ABSENT, date=None, until=None, qualifiers=()))
    return tuple(kept)


def _of_kidneys(labs: tuple[Lab, ...], markers: tuple[ConditionFact, ...]) -> tuple[Lab, ...]:
    """Without the numbers of gene names: "EGFR 19 del" is no filtration rate."""
    genes = [e for m in markers for e in m.evidence]
    return tuple(lab for lab in labs if lab.test != "egfr" or not any(g.start <= e.start and e.end <= g.end for g in genes for e in lab.evidence))
