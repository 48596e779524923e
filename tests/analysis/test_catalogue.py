from pathlib import Path

from regrok.analysis import catalogue, records

ROOT = Path(__file__).parents[2]


def test_committed_page_is_current():
    assert (ROOT / "results" / "README.md").read_text() == catalogue.readme(), "run `make schema`"


def test_every_table_is_on_the_page():
    page = catalogue.readme()
    for name in [*records.COLUMNS, *catalogue.derived()]:
        assert f"### {name}\n" in page
