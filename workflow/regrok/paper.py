"""The paper: Typst sources, numbers, verdicts, tables and figures in, a PDF out, and nothing else of the machine."""

import json
from contextlib import suppress
from pathlib import Path

import typst

from . import events, sources
from .analysis import format, scaling_laws, summands
from .tasks import split

STANDARDS = ("a-2a", "ua-1")  # archivable, and accessible: tagged, with alternative texts
TIMESTAMP = 1_750_377_600  # 20 June 2025, the date of report 000: a fixed one, so that equal inputs give equal bytes


def build(text: str | Path, root: str | Path, scale: str, output: str | Path, timestamp: int = TIMESTAMP) -> list[str]:
    """Typeset `text`/regrok.typ into the PDF `output`.

    root: the folder that holds results/<scale>/ (numbers.json, claims.json, tables/*.csv), figures/<scale>/*.svg
    and `text`; Typst reaches nothing outside it. timestamp: the document's date, Unix seconds.
    Returns Typst's warnings. Raises typst.TypstError, with the name of what is missing.
    """
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    compiled, warnings = compiler(text, root, scale).compile_with_warnings(
        format="pdf", pdf_standards=list(STANDARDS), timestamp=timestamp
    )
    output.write_bytes(compiled)
    return [warning.message for warning in warnings]


def pages(text: str | Path, root: str | Path, scale: str, ppi: float = 100) -> list[bytes]:
    """The same paper as pictures, a PNG a page."""
    compiled = compiler(text, root, scale).compile(format="png", ppi=ppi, timestamp=TIMESTAMP)
    return compiled if isinstance(compiled, list) else [compiled]


def compiler(text: str | Path, root: str | Path, scale: str) -> typst.Compiler:
    return typst.Compiler(
        Path(text).resolve() / "regrok.typ",
        root=Path(root).resolve(),
        ignore_system_fonts=True,
        sys_inputs={"scale": scale, "rules": json.dumps(rules()), "alternatives": json.dumps(alternatives())},
    )


def alternatives() -> dict[str, str]:
    """The alternative text of every figure, by the figure's name, as its file declares it."""
    texts = {}
    for module in sources.modules(f"{sources.PACKAGE}.figures"):
        with suppress(LookupError):
            texts[module.rpartition(".")[2]] = str(sources.declared(module, "ALT"))
    return texts


def rules() -> dict[str, str]:
    """The constants of the event rule and of evaluation as the text prints them."""
    return {
        "threshold": format.percent(events.THRESHOLD),
        "confirmations": str(events.CONFIRMATIONS),
        "chance_tail": f"{events.CHANCE_TAIL:g}",
        "grokking_delay": format.steps(events.GROKKING_DELAY),
        "level": format.percent(scaling_laws.LEVEL),
        "fully_evaluated": format.steps(split.FULLY_EVALUATED),
        "evaluated": format.steps(split.EVALUATED),
        "half_width": format.number(summands.half_width(events.THRESHOLD, split.EVALUATED), 1),
        "half_width_worst": format.number(summands.half_width(0.5, split.EVALUATED), 2),
    }
