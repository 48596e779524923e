"""What comes out of the jobs: runs, and the tables and figures that there are, by the files that declare them."""

from contextlib import suppress
from pathlib import Path

from regrok import provenance, sources
from regrok.experiment import probed


def declared(package, constant):
    """Module name -> the literal that it declares under this name, for the tables or figures in a package."""
    found = {}
    for module in sources.modules(f"regrok.{package}"):
        with suppress(LookupError):
            found[module.rpartition(".")[2]] = sources.declared(module, constant)
    return found


def digest(package, *others):
    """A function of the wildcards: the digest of the sources that a table or figure of this package depends on."""
    return lambda wildcards: sources.digest(f"regrok.{package}.{wildcards[0]}", *others)


def probe_settings(probe):
    """Its defaults, overlaid by what config.yaml says of this scale."""
    return sources.declared(f"regrok.probes.{probe}", "SETTINGS") | STUDIES.probes[probe].at(SCALE).set


def measured(wildcards):
    """The job of a cell, as far as a probe looks at it."""
    return PROBED[wildcards.probe][wildcards.cell]


RUNS = collect("<results>/runs/{cell}.json", cell=JOBS)
if not TRAIN:  # no rule makes them then, and tables made with them are not to be made again without them
    RUNS = [path for path in (f"results/{SCALE}/runs/{cell}.json" for cell in JOBS) if Path(path).exists()]
BASE_TABLES = ("cells", "designs", "members", "histories", "provenance")
TABLE_INPUTS = declared("analysis", "INPUTS")
FIGURE_INPUTS = declared("figures", "INPUTS")
PROBES = declared("probes", "COLUMNS")
PROBED = {probe: probed(STUDIES, probe, SCALE, REPORTS) for probe in PROBES}
TABLES = collect("<results>/tables/{table}.parquet", table=[*BASE_TABLES, "throughput", *PROBES, *TABLE_INPUTS])
FIGURES = collect("<figures>/{figure}.svg", figure=FIGURE_INPUTS)
MANIFESTS = [str(Path(path).with_suffix(provenance.SUFFIX)) for path in (*TABLES, *FIGURES)]
MANIFEST_FORMAT = sources.own_digest("regrok.provenance")


wildcard_constraints:
    cell=r"[^/]+",  # not the cells by name: Snakemake searches a wildcard's pattern again for every file
    table="|".join(TABLE_INPUTS),
    figure="|".join(FIGURE_INPUTS),
    probe="|".join(PROBES) or "none",
