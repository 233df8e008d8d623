"""Trial documents of any kind, recognised by content: registry JSON and XML, JSON lines, saved pages, exports, text."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

from defusedxml import ElementTree
from lxml import html

from matcher.domain import Comparison, Criterion, EligoError, Kind, Trial
from matcher.expressions import atoms
from matcher.trials.criteria import compile_criterion
from matcher.trials.page import read_page
from matcher.trials.population import diseases, drugs, population, targets
from matcher.trials.segment import segment
from matcher.trials.topics import topic_of

NO_CRITERIA = "The document lists no eligibility criteria; the trial is ranked by its disease and its limits of age and sex only."
PARTIAL = "The document refers to further criteria that it does not list."


class TrialDocumentError(EligoError):
    """The document holds no trial, or cannot be read; the message names it and says what to do."""


def read_trials(content: bytes, source: str) -> list[Trial]:
    """The trials of a document (one, or one a line or study). `source` names it in answers and errors.

    Criteria offsets count characters of the decoded document; for structured records (JSON, XML) those of the record's
    eligibility text. Raises TrialDocumentError where the document holds no trial.
    """
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise TrialDocumentError(f"{source}: the gzip file is damaged ({error}); save it again") from None
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TrialDocumentError(f"{source}: a binary file; give the trial as JSON, XML, HTML or text")
    text = _decode(content)
    if not text.strip():
        raise TrialDocumentError(f"{source}: the document is empty; give the trial's record or page")
    start = text.lstrip()[:300].lower()
    if start.startswith(("{", "[")):
        return list(_json_trials(text, source))
    if start.startswith(("<?xml", "<clinical_study")):
        return [_xml_trial(text, source)]
    if start.startswith("<") and ("<html" in text[:5000].lower() or "<body" in text[:20000].lower() or "<!doctype html" in start):
        text = _html_text(text)
    return [_text_trial(text, source)]


def _decode(content: bytes) -> str:
    for encoding in ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


# ---------------------------------------------------------------- kinds of document


def _json_trials(text: str, source: str) -> Iterator[Trial]:
    try:
        records: Any = json.loads(text)
        records = records.get("studies", [records]) if isinstance(records, dict) else records
    except RecursionError:
        raise TrialDocumentError(f"{source}: JSON nested too deeply for a trial record; save the record again") from None
    except json.JSONDecodeError as whole:
        records = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    records.append(json.loads(line))
                except RecursionError:
                    raise TrialDocumentError(f"{source}: line {number}: JSON nested too deeply for a trial record") from None
                except json.JSONDecodeError as error:
                    where = f"line {number}: {error.msg}" if records else f"line {whole.lineno} column {whole.colno}: {whole.msg}"
                    raise TrialDocumentError(f"{source}: not valid JSON ({where}); save the record again") from None
    if not isinstance(records, list) or not records:
        raise TrialDocumentError(f"{source}: no trial record in this JSON; a study of the registry's API or the fields id, title, conditions, eligibility are wanted")
    for number, record in enumerate(records, 1):
        where = source if len(records) == 1 else f"{source} record {number}"
        if not isinstance(record, dict):
            raise TrialDocumentError(f"{where}: a trial record is a JSON object, not {type(record).__name__}")
        if "protocolSection" in record:
            yield _api_trial(record["protocolSection"], source)
        elif "id" in record and ("eligibility" in record or "title" in record):
            yield _line_trial(record, source)
        else:
            raise TrialDocumentError(f"{where}: neither a registry study (protocolSection) nor a record with id, title and eligibility")


def _line_trial(record: dict[str, Any], source: str) -> Trial:
    return _build(
        source,
        trial_id=str(record["id"]),
        title=_words(record.get("title")),
        condition_names=_texts(record.get("conditions")),
        eligibility=_words(record.get("eligibility")),
        phase=_phase(_words(record.get("phase"))),
        status=_status(_words(record.get("status"))),
        min_age=_age(_words(record.get("min_age"))),
        max_age=_age(_words(record.get("max_age"))),
        sex=_sex(_words(record.get("sex"))),
        interventions=_texts(record.get("interventions")),
        sponsor=_words(record.get("sponsor")) or None,
        locations=_texts(record.get("locations")),
        summary=_words(record.get("summary")) or _words(record.get("description")) or None,
    )


def _words(value: Any) -> str:
    """A field as text; empty where it is missing or of a kind that holds none."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _texts(values: Any) -> tuple[str, ...]:
    """The texts of a list, or of one text that stands for it."""
    return tuple(words for v in (values if isinstance(values, list) else [values]) if (words := _words(v)))


def _objects(values: Any) -> list[dict[str, Any]]:
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []


def _api_trial(study: Any, source: str) -> Trial:
    def module(name: str) -> dict[str, Any]:
        found = study.get(name) if isinstance(study, dict) else None
        return found if isinstance(found, dict) else {}

    identity, status, design = module("identificationModule"), module("statusModule"), module("designModule")
    eligibility, sites = module("eligibilityModule"), _objects(module("contactsLocationsModule").get("locations"))
    volunteers = eligibility.get("healthyVolunteers")
    if not _words(identity.get("nctId")):
        raise TrialDocumentError(f"{source}: the study has no identificationModule.nctId; save the whole record")
    places = (", ".join(_texts([s.get("city"), s.get("country")])) for s in sites)
    return _build(
        source,
        trial_id=_words(identity["nctId"]),
        title=_words(identity.get("briefTitle")) or _words(identity.get("officialTitle")),
        official_title=_words(identity.get("officialTitle")) or None,
        condition_names=_texts(module("conditionsModule").get("conditions")),
        eligibility=_words(eligibility.get("eligibilityCriteria")),
        phase=_phase("/".join(_texts(design.get("phases")))),
        status=_status(_words(status.get("overallStatus"))),
        min_age=_age(_words(eligibility.get("minimumAge"))),
        max_age=_age(_words(eligibility.get("maximumAge"))),
        sex=_sex(_words(eligibility.get("sex"))),
        healthy_volunteers=volunteers if isinstance(volunteers, bool) else None,
        interventions=_texts([i.get("name") for i in _objects(module("armsInterventionsModule").get("interventions"))]),
        sponsor=next(iter(_texts([s.get("name") for s in _objects([module("sponsorCollaboratorsModule").get("leadSponsor")])])), None),
        locations=tuple(dict.fromkeys(places)),
        summary=_words(module("descriptionModule").get("briefSummary")) or None,
    )


def _xml_trial(text: str, source: str) -> Trial:
    try:
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except Exception as error:  # the parser and its guards raise several unrelated types
        raise TrialDocumentError(f"{source}: not a readable XML record ({error}); save it again") from None
    if root.tag != "clinical_study":
        raise TrialDocumentError(f"{source}: an XML file whose root is <{root.tag}>, not the registry's <clinical_study>")

    def one(path: str) -> str | None:
        found = root.findtext(path)
        return found.strip() if found and found.strip() else None

    places = (", ".join(p for p in (a.findtext("city"), a.findtext("country")) if p) for a in root.iter("address"))
    volunteers = one("eligibility/healthy_volunteers")
    return _build(
        source,
        trial_id=one("id_info/nct_id") or one("id_info/org_study_id") or source,
        title=one("brief_title") or one("official_title") or "",
        official_title=one("official_title"),
        condition_names=tuple(c.text.strip() for c in root.findall("condition") if c.text),
        eligibility=root.findtext("eligibility/criteria/textblock") or "",
        phase=_phase(one("phase")),
        status=_status(one("overall_status")),
        min_age=_age(one("eligibility/minimum_age")),
        max_age=_age(one("eligibility/maximum_age")),
        sex=_sex(one("eligibility/gender")),
        healthy_volunteers=None if volunteers is None else volunteers.lower() not in ("no", "false"),
        interventions=tuple(i.text.strip() for i in root.findall("intervention/intervention_name") if i.text),
        sponsor=one("sponsors/lead_sponsor/agency"),
        locations=tuple(dict.fromkeys(places)),
        summary=one("brief_summary/textblock"),
    )


def _html_text(text: str) -> str:
    """The page as text: a line a block, a bullet a list item."""
    try:
        root = html.fromstring(text.encode("utf-8"), parser=html.HTMLParser(encoding="utf-8"))
    except (ValueError, html.etree.ParserError):
        return re.sub(r"<[^>]{0,500}>", " ", text)
    for element in root.xpath("//script|//style|//noscript|//nav|//footer|//svg"):
        element.drop_tree()
    for table in root.xpath("//table"):
        _table_text(table)
    for element in root.xpath("//li"):
        depth = len(list(element.iterancestors("ul", "ol"))) - 1
        element.text = f"\n{'   ' * depth}- {(element.text or '').lstrip()}"
    for element in root.xpath("//br|//p|//div|//tr|//h1|//h2|//h3|//h4|//h5|//section|//ul|//ol|//dt|//dd"):
        element.tail = "\n" + (element.tail or "")
        if element.tag not in ("br", "ul", "ol"):
            element.text = "\n" + (element.text or "")
    return re.sub(r"\n[ \t]*(?:\n[ \t]*)+", "\n\n", root.text_content()).strip()


def _text_trial(text: str, source: str) -> Trial:
    page = read_page(text)
    head = f"{page.title} {page.official_title or ''}"
    region = page.criteria
    if region is None and not (diseases(text[:20000]) or page.trial_id):
        raise TrialDocumentError(f"{source}: no trial in this document (no criteria, no registry number, no disease); give a trial's record or page")
    conditions = diseases(head) or diseases(text[: region[0]] if region else text[:4000]) or diseases(text)
    named = drugs(head)
    agents = page.interventions or page.codes or named
    trial_id = page.trial_id or _slug(page.sponsor, next(iter((*page.codes, *named, *page.interventions)), page.title))
    return _build(
        source,
        trial_id=trial_id,
        title=page.title,
        official_title=page.official_title,
        condition_names=tuple(c.replace("_", " ") for c in conditions),
        eligibility=text,
        region=region or (0, 0),
        phase=_phase(page.phase),
        status=page.status,
        min_age=page.min_age,
        max_age=page.max_age,
        sex=page.sex,
        healthy_volunteers=page.healthy_volunteers,
        interventions=agents,
        sponsor=page.sponsor,
        locations=page.locations,
        summary=None,
    )


def _slug(*parts: str | None) -> str:
    words = re.findall(r"[a-z0-9]+", " ".join(p for p in parts if p).lower())
    return "-".join(w for w in words if w not in ("the", "of", "for", "and", "in", "a"))[:80] or "trial"


def _table_text(table: Any) -> None:
    """A table as lines: a numbered row is an item; columns headed inclusion and exclusion follow one another."""
    cells = ([" ".join(cell.text_content().split()) for cell in row.xpath("./td|./th")] for row in table.xpath(".//tr"))
    rows = [row[row[0].lower().rstrip(".") in ("no", "nr", "#", "item") :] for row in cells if row]
    if not rows or table.xpath(".//table"):
        return
    sided = len(rows[0]) > 1 and all(re.match(r"(?:key )?(?:in|ex)clusion", cell, re.IGNORECASE) for cell in rows[0])
    if sided:
        lines = [f"{'' if at == 0 else '- '}{row[column]}{':' * (at == 0)}" for column in range(len(rows[0])) for at, row in enumerate(rows) if column < len(row) and row[column]]
    else:
        lines = [f"{row[0].rstrip('.')}. {' '.join(row[1:])}" if re.fullmatch(r"(?:[IE]-?)?\d{1,2}\.?", row[0]) else " | ".join(row) for row in rows if row]
    for child in list(table):
        table.remove(child)
    table.text = "\n" + "\n".join(lines) + "\n"


# ---------------------------------------------------------------- a record becomes a Trial


def _build(
    source: str,
    *,
    trial_id: str,
    title: str,
    condition_names: tuple[str, ...],
    eligibility: str,
    region: tuple[int, int] | None = None,
    official_title: str | None = None,
    interventions: tuple[str, ...] = (),
    summary: str | None = None,
    **limits: Any,
) -> Trial:
    conditions = diseases("; ".join(condition_names)) or diseases(f"{title}. {official_title or ''}")
    start, end = region or (0, len(eligibility))
    criteria = _criteria(eligibility, start, end, conditions)
    trial = Trial(
        trial_id=trial_id,
        source=source,
        title=title,
        criteria=criteria,
        conditions=conditions,
        condition_names=condition_names,
        interventions=interventions,
        targets=targets(f"{title}. {official_title or ''}. {'; '.join(interventions)}. {summary or ''}"),
        summary=summary,
        disease=population(conditions, f"{title}. {official_title or ''}. {'; '.join(condition_names)}"),
        **limits,
    )
    return _with_notices(trial, eligibility[start:end])


def _criteria(text: str, start: int, end: int, conditions: tuple[str, ...]) -> tuple[Criterion, ...]:
    criteria = []
    numbers = {Kind.INCLUSION: 0, Kind.EXCLUSION: 0}
    for item in segment(text, start, end):
        numbers[item.kind] += 1
        words = text[item.start : item.end]
        expression, assessable = compile_criterion(words, item.kind, conditions)
        name = f"{item.kind.value[0].upper()}{numbers[item.kind]}"
        criteria.append(Criterion(name, item.kind, words, item.start, item.end, expression, assessable, item.cohort, topic_of(words, expression, conditions)))
    return tuple(criteria)


def _with_notices(trial: Trial, text: str) -> Trial:
    """The doubts a reader should know: no criteria, criteria kept elsewhere, structured and written age limits that disagree."""
    notices = []
    if not trial.criteria:
        notices.append(NO_CRITERIA)
    if re.search(r"other (?:protocol|inclusion)[^.\n]{0,60}\bapply|as (?:defined|described|specified) in the protocol", text, re.IGNORECASE):
        notices.append(PARTIAL)
    written = [a for c in trial.criteria if c.kind is Kind.INCLUSION and c.cohort is None for a in atoms(c.expression) if isinstance(a, Comparison) and a.fact == "age"]
    low = [a.value for a in written if a.op in (">=", ">")]
    high = [a.value for a in written if a.op in ("<=", "<")]
    if trial.min_age is not None and low and trial.min_age not in low:
        notices.append(f"The record's minimum age is {trial.min_age:g}, its criteria say {low[0]:g}.")
    if trial.max_age is not None and high and trial.max_age not in high:
        notices.append(f"The record's maximum age is {trial.max_age:g}, its criteria say {high[0]:g}.")
    return Trial(**{**{f: getattr(trial, f) for f in Trial.__slots__}, "notices": tuple(notices)})


def _phase(value: Any) -> str | None:
    """ "PHASE1/PHASE2", "phase i/ii", "EARLY_PHASE1", "N/A" as "Phase 1/Phase 2", "Early Phase 1", "Not applicable"."""
    words = str(value or "").lower()
    if re.fullmatch(r"\s*(?:na|n/a|not applicable)\s*", words):
        return "Not applicable"
    numerals = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
    numbers = [numerals.get(n, n) for n in re.findall(r"(?<![a-z])(?:phase)?[ _]*([1-4]|i{1,3}v?|iv)(?![a-z])", words)]
    early = "Early " if "early" in words else ""
    return early + "/".join(f"Phase {n}" for n in dict.fromkeys(numbers)) if numbers else None


def _age(value: Any) -> float | None:
    """ "18 Years", "6 Months", 18, "N/A" """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = re.match(r"\s*(\d+(?:\.\d+)?)\s*(\w*)", str(value or ""))
    if not found:
        return None
    per_year = {"mon": 12, "wee": 52, "day": 365, "hou": 8760, "min": 525600}.get(found[2].lower()[:3], 1)
    return round(float(found[1]) / per_year, 3)


def _sex(value: Any) -> str | None:
    word = str(value or "").strip().lower()
    return {"all": "all", "both": "all", "female": "female", "male": "male"}.get(word)


def _status(value: Any) -> str | None:
    return str(value).replace("_", " ").lower() if value else None
