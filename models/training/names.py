"""Invented names: agents by the stems of their class, company codes and brands, other medicines, people and places.

None is looked up anywhere; syllables are drawn at random. `held_out` names come from other syllables than those trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random

from models import load_vocabulary

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "cl", "dr", "fl", "gr", "pl", "tr", "th", "ch")
_VOWELS = ("a", "e", "i", "o", "u", "ae", "ia", "eo")
_CODAS = ("", "", "", "l", "n", "r", "s", "m", "x")
_COMPANIES = ("ABX", "AZN", "BGT", "BLX", "CC", "CLN", "CT", "DRN", "EZ", "GEN", "HLX", "IBI", "JN", "KTX", "LM", "MDX", "NKX", "ONC", "PF", "PRX", "QLT", "RG", "SAR", "TAK", "TNB", "VRX", "XMT", "ZW")
_HELD_OUT_COMPANIES = ("AMT", "BHV", "CRX", "DKN", "FGX", "HPN", "KRT", "LYX", "MRV", "ORX", "SGN", "TQB", "UBX", "WVT", "YTX")
# Suffixes of medicines other than those against cancer (WHO INN stem book 2018).
_MEDICINES = ("pril", "sartan", "olol", "vastatin", "gliptin", "gliflozin", "prazole", "cillin", "floxacin", "ciclovir", "tegravir", "conazole", "azepam", "setron", "xaban",
              "triptan", "dipine", "cycline", "lukast", "fibrate", "dronate", "gepant", "caine", "oxetine", "tidine", "thiazide", "semide", "glutide", "profen", "coxib", "parin", "zepine", "pramine", "terol", "sone", "nide")
_FORMULATIONS = ("Faspro", "Hycela", "Qvantig", "SC", "Velbrio", "RTU", "Sub-Q", "Lyo", "Novum", "XR")
_PLACES = ("General Hospital", "Cancer Center", "Clinic", "Medical Center", "Oncology Unit", "Infirmary", "Village", "Park", "Heights", "Road")


@dataclass(frozen=True)
class Names:
    """A source of invented and known names, drawn from one random generator."""

    draw: Random
    held_out: bool = False

    def _syllables(self, count: int) -> str:
        onsets = _ONSETS[1::2] if self.held_out else _ONSETS[::2]
        return "".join(self.draw.choice(onsets) + self.draw.choice(_VOWELS) + self.draw.choice(_CODAS) for _ in range(count))

    @cached_property
    def known(self) -> dict[bool, list[str]]:
        """Names of the vocabulary's drugs, by whether they are against cancer; the held-out fifth is that of every fifth drug."""
        found: dict[bool, list[str]] = {True: [], False: []}
        for place, drug in enumerate(load_vocabulary().drugs.values()):
            if (place % 5 == 0) == self.held_out and not drug.id.startswith("anti-"):
                found[drug.antineoplastic] += [drug.id, *(a.lstrip("=") for a in drug.aliases if len(a) > 4)]
        return found

    def agent(self) -> str:
        """An agent against cancer, mostly one that no table lists."""
        kind = self.draw.random()
        if kind < 0.3:
            return self._cased(self.draw.choice(self.known[True]))
        if kind < 0.68:
            return self._cased(self.invented_agent())
        if kind < 0.88:
            return self.code()
        return self.brand() if kind < 0.95 else f"{self.draw.choice(self.known[True]).title()} {self.draw.choice(_FORMULATIONS)}"

    def invented_agent(self) -> str:
        stem = self.draw.choice(load_vocabulary().stems)
        root = self._syllables(self.draw.choice((1, 2, 2)))
        if stem.suffix.startswith("-"):
            return root[: self.draw.randint(3, 6)] + stem.suffix
        return root.rstrip("aeiou") + self.draw.choice("aeio") + stem.suffix if stem.suffix[0] not in "aeiou" else root.rstrip("aeiou") + stem.suffix

    def code(self) -> str:
        company = self.draw.choice(_HELD_OUT_COMPANIES if self.held_out else _COMPANIES)
        digits = str(self.draw.randint(10 ** (size := self.draw.randint(2, 5)), 10 ** (size + 1) - 1))
        digits = ("0" + digits[1:]) if self.draw.random() < 0.25 else digits
        written = company + self.draw.choice(("-", "-", "", " ")) + digits
        return written.lower() if self.draw.random() < 0.1 else written

    def brand(self) -> str:
        return (self._syllables(2) + self.draw.choice(("", "xa", "vi", "zo", "qua", "ra", "yo", "ti"))).capitalize()

    def medicine(self) -> str:
        if self.draw.random() < 0.65:
            return self._cased(self.draw.choice(self.known[False]))
        return self._cased(self._syllables(self.draw.choice((1, 2))) + self.draw.choice(_MEDICINES))

    def person(self) -> str:
        name = self._syllables(self.draw.choice((1, 2, 2))).capitalize() + self.draw.choice(("", "", "son", "ski", "ez", "er", "man", "ova", "ton"))
        return self.draw.choice(("Dr ", "Dr. ", "Mr ", "Mrs ", "Prof. ", "Ms. ", "")) + name

    def place(self) -> str:
        return self._syllables(self.draw.choice((1, 2))).capitalize() + self.draw.choice(("", "ton", "ville", "burg", "ham", "field")) + " " + self.draw.choice(_PLACES)

    def number(self) -> str:
        """A record, sample or room number, which looks like a company code and is none."""
        return self.draw.choice((f"{self.draw.choice('ABCHLRSW')}{self.draw.randint(10, 99999)}", f"{self.draw.choice(('LAB', 'REF', 'RM', 'ID', 'PO', 'SN', 'BX'))}-{self.draw.randint(100, 99999)}", str(self.draw.randint(10000, 9999999))))

    def _cased(self, name: str) -> str:
        return name if name.lower() != name else self.draw.choice((name, name, name, name.capitalize(), name.upper()))
