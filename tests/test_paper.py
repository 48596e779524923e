"""The paper is set from what the workflow computed, and from nothing else."""

import json
import re
import shutil
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import typst
from synthetic import base_tables

from regrok import paper, sources
from regrok.analysis import claims, numbers, probed, tables
from regrok.analysis.judging import VERDICTS

REPOSITORY = Path(__file__).parents[1]
TEXTS = [REPOSITORY / "paper" / "regrok.typ", *sorted((REPOSITORY / "paper" / "sections").rglob("*.typ"))]
CODE = [REPOSITORY / "paper" / name for name in ("template.typ", "results.typ")]
CASES = {  # name -> (scale, arguments of base_tables)
    "full": ("desk", {"seeds": 6, "scale": "desk"}),
    "laptop": ("laptop", {"seeds": 2, "scale": "laptop"}),
    "smoke": ("smoke", {"empty": True}),
    "nothing trained yet": ("laptop", {"seeds": 2, "scale": "laptop"}),
    "report 000 alone": ("laptop", {"seeds": 2, "scale": "laptop"}),
    "report 001 alone": ("laptop", {"seeds": 2, "scale": "laptop"}),
    "report 002 alone": ("laptop", {"seeds": 2, "scale": "laptop"}),
    "report 003 alone": ("laptop", {"seeds": 2, "scale": "laptop"}),
}
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="340" height="120"><rect width="340" height="120"/></svg>'


@cache
def derived(case: str) -> dict:
    """Base and derived tables, claims.json and numbers.json of a case."""
    found = base_tables(**CASES[case][1])
    if case == "nothing trained yet":
        found |= {name: found[name].head(0) for name in ("members", "histories", *probed.probes())}
    reports = [case.split()[1]] if case.endswith("alone") else []
    if reports:
        found["designs"] = found["designs"][found["designs"]["report"].isin(reports)]
        for name in ("cells", "members", "histories", "throughput", *probed.probes()):
            found[name] = found[name][found[name]["cell"].isin(found["designs"]["cell"])]
    modules = {}
    for name in sources.modules("regrok.analysis"):
        if re.search(r"^INPUTS\b", sources.source(name).read_text(), re.M):
            modules[name.rpartition(".")[2]] = import_module(name)

    def need(name):
        if name not in found:
            found[name] = modules[name].build(*map(need, modules[name].INPUTS))
        return found[name]

    for name in modules:
        need(name)
    judged = claims.judge(claims.load(REPOSITORY / "claims.yaml").of(reports), found)
    return {
        "tables": {name: (found[name], module.COLUMNS) for name, module in modules.items()},
        "claims": judged,
        "numbers": numbers.build(found, CASES[case][0]),
    }


@pytest.fixture
def root(tmp_path):
    """A function that lays out a repository for a case below `tmp_path` and returns its folder and scale."""

    def lay(case: str, where: str = "repository") -> tuple[Path, str]:
        scale, content = CASES[case][0], derived(case)
        folder = tmp_path / where
        results, figures = folder / "results" / scale, folder / "figures" / scale
        for path in (results / "tables", figures):
            path.mkdir(parents=True)
        for name, (frame, columns) in content["tables"].items():
            tables.write(frame, results / "tables" / f"{name}.parquet", columns, name, twins=[".csv"])
        for name in paper.alternatives():
            (figures / f"{name}.svg").write_text(DRAWING)
        for name in ("claims", "numbers"):
            (results / f"{name}.json").write_text(claims.dumps(content[name]))
        shutil.copytree(REPOSITORY / "paper", folder / "paper", ignore=shutil.ignore_patterns("*.pdf"))
        return folder, scale

    return lay


def change(path: Path, edit) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def build(folder: Path, scale: str) -> bytes:
    output = folder / "paper" / scale / "regrok.pdf"
    assert paper.build(folder / "paper", folder, scale, output) == []
    return output.read_bytes()


def words(folder: Path, scale: str) -> str:
    """What the body of the paper says, without its layout."""
    html = paper.compiler(folder / "paper", folder, scale).compile(format="html").decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").split())


@pytest.mark.parametrize("case", CASES)
def test_builds_without_warnings(case, root):
    assert build(*root(case)).startswith(b"%PDF")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_builds_with_every_verdict_flipped(verdict, root):
    folder, scale = root("full")

    def flip(content):
        for claim in content["claims"].values():
            claim["verdict"] = verdict

    change(folder / "results" / scale / "claims.json", flip)
    build(folder, scale)
    total = len(derived("full")["claims"]["claims"])
    text = words(folder, scale)
    assert ", ".join(f"{word} {total if word == verdict else 0}" for word in VERDICTS) in text
    sentences = {
        "reproduced": "The reported counts can be those of one model",
        "partly": "Most, but not all, of the reported counts",
        "not reproduced": "The reported counts are not those of one model",
        "undecided": "The counts could not be compared",
    }
    assert [word for word, sentence in sentences.items() if sentence in text] == [verdict]


def test_a_number_of_the_text_is_the_computed_one(root):
    folder, scale = root("laptop")
    before = words(folder, scale)
    change(folder / "results" / scale / "numbers.json", lambda content: content["transition.n"].update(text="27 182"))
    assert "27 182" not in before
    assert "27 182" in words(folder, scale)


def test_the_same_inputs_give_the_same_bytes_anywhere(root):
    first, scale = root("laptop")
    second, _ = root("laptop", "another/place")
    assert build(first, scale) == build(first, scale) == build(second, scale)


def test_a_smoke_test_is_marked_as_one_on_every_page(root):
    folder, _ = root("smoke")
    for kind in ("results", "figures"):
        shutil.copytree(folder / kind / "smoke", folder / kind / "other")
    marked, plain = (paper.pages(folder / "paper", folder, scale, ppi=20) for scale in ("smoke", "other"))
    assert len(marked) == len(plain)
    assert all(ours != other for ours, other in zip(marked, plain, strict=True))
    assert marked[0] != plain[0]  # the first page has no header that names the scale


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda results: change(results / "numbers.json", lambda c: c.pop("design.cells")), "design.cells"),
        (lambda results: change(results / "claims.json", lambda c: c["claims"].pop("000-C6")), "000-C6"),
        (lambda results: change(results / "claims.json", lambda c: c["claims"]["000-C6"].update(verdict="yes")), "yes"),
        (lambda results: (results / "tables" / "cost.csv").unlink(), "cost.csv"),
        (lambda results: (results / "tables" / "cost.csv").write_text("study\ntotal\n"), "asked"),
        (lambda results: (results.parents[1] / "figures" / "laptop" / "scaling.svg").unlink(), "scaling.svg"),
    ],
    ids=["number", "claim", "verdict", "table", "column", "figure"],
)
def test_what_is_missing_stops_the_build_with_its_name(spoil, named, root):
    folder, scale = root("laptop")
    spoil(folder / "results" / scale)
    with pytest.raises(typst.TypstError, match=re.escape(named)):
        build(folder, scale)
    assert not (folder / "paper" / scale / "regrok.pdf").exists()


def test_a_judging_sentence_is_needed_for_every_verdict(root):
    folder, scale = root("laptop")
    (folder / "note").mkdir()
    (folder / "note" / "regrok.typ").write_text('#import "/paper/results.typ": *\n#by-verdict("000-C1", partly: [So.])')
    with pytest.raises(typst.TypstError, match="000-C1 has no sentence"):
        paper.build(folder / "note", folder, scale, folder / "note.pdf")


def test_every_figure_is_shown_and_every_claim_is_judged_in_the_text():
    text = "".join(path.read_text() for path in TEXTS)
    assert set(re.findall(r'#plot\(\s*"([^"]+)"', text)) == set(paper.alternatives())
    ids = {claim.id for claim in claims.load(REPOSITORY / "claims.yaml").claims}
    assert set(re.findall(r'#finding\(\s*"([^"]+)"', text)) == ids


def test_every_figure_and_table_is_referred_to():
    text = "".join(path.read_text() for path in TEXTS)
    names = {f"fig-{name}" for name in re.findall(r'#plot\(\s*"([^"]+)"', text)}
    names |= {f"tab-{name}" for name in re.findall(r'#tabular\(\s*"([^"]+)"', text)}
    assert names == set(re.findall(r"@((?:fig|tab)-\w+)", text))


def test_every_reference_is_cited_and_every_citation_has_one():
    text = "".join(path.read_text() for path in TEXTS)
    entries = re.findall(r"^@\w+\{(\w+),", (REPOSITORY / "paper" / "references.bib").read_text(), re.M)
    assert len(entries) == len(set(entries))
    assert set(entries) == set(re.findall(r"@([a-z]+\d{4}|zhong)\b", text))


# No literal results

ALLOWED = (  # what may hold digits in the text's sources
    r"//.*",  # comments
    r"\$[^$]*\$",  # equations, and their readings:
    r'\b(?:eq|display)\(\s*"[^"]*"',
    r'\b(?:n|known|ran|entry|claim|judges|cell-of|setting|rule|finding|by-verdict|rows|plot|tabular)\(\s*"[^"]*"',
    r'\b(?:include|import|style:|study:|raw)\(?\s*"[^"]*"',
    r'"\d{3}": (?=<)',  # of a report
    r"<[\w-]+>|@[\w-]+",  # labels, references, citations
    r"\b\d{3}-[A-Z]\d+[a-z]?\b",  # claims
    r"_?[Rr]eport[ ~]\d{3}",
    r"\b(?:Table|Figure)~\d\b",  # of the report
    r"\bSHA-256\b",
    r"-?\b\d+(?:\.\d+)?(?:pt|em|mm|fr|deg)\b",  # layout, and the columns of tables
    r"\b(?:columns|colspan|digits|level|offset): \d+",
    r"\b(?:group-rule|slice|range|at)\([^()]*(?:\(\)[^()]*)?\)",
    r"\) [*+] \(?\w+(?:\.\w+\(\))?(?: \+ \d+\))?",
    r"\.len\(\) (?:\+|==) \d+",
    r"\b[A-Za-z_]\w*",  # names such as t4, beta1, float32
)
NUMERALS = "two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand"
COUNTED = rf"\b(?:{NUMERALS}) (?:steps|members|seeds|times|per cent)\b"


def literals(source: str, *more: str) -> list[str]:
    """Digits and counted words of a Typst source that are nothing of the kinds in `ALLOWED` and `more`."""
    counted = re.findall(COUNTED, source)
    rest = re.sub("|".join((*more, *ALLOWED)), " ", source)
    return counted + re.findall(r"[\d.,\u202f ]*\d+", rest)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_no_result_is_written_in_the_text(path):
    assert literals(path.read_text()) == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.stem)
def test_no_result_is_written_in_the_code_of_the_paper(path):
    code = (r'"(?:[^"\\]|\\.)*"', r"\b(?:luma|rotate|columns|rgb)\([^()]*\)", r"\b\d+(?:\.\d+)?%")
    code += (r"(?<![\d.,])(?:0|1|3|4|8|10|100|10\.0)(?![\d.])",)  # counters, digits of a group, powers of ten, columns
    assert literals(path.read_text(), *code) == []


@pytest.mark.parametrize(
    "result", ["It took 2 950 steps.", "about 99%", "in 0.5 of them", "#text[31.4×]", 'text("8 of 8")', "ten steps"]
)
def test_a_planted_result_is_found(result):
    assert literals(f"Words before.\n{result}\nWords after.") != []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_no_semicolon_of_the_text_ends_an_expression_unseen(path):
    """Typst takes the ; after #n("key") as the end of the code, and prints none."""
    assert re.findall(r"#[\w-]+(?:\([^\n;]*\)|\[[^\n;]*\])?;", path.read_text()) == []
