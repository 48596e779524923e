"""What to do: the scale and the reports asked for, and the jobs they need."""

from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import ExecutionSettings

from regrok import cost, provenance, stock
from regrok.analysis import claims
from regrok.config import ConfigError, check_report, check_scale, load
from regrok.experiment import designs, jobs
from regrok.store import Store, locked, sign

SCALE = str(config.get("scale", "laptop"))
REPORTS = [name.zfill(3) for name in str(config.get("report", "")).split()]  # YAML takes 001 for a number
TRAIN = bool(int(config.get("train", 1)))  # 0: from the records at hand
PARTIAL = bool(int(config.get("partial", 0)))  # 1: although some are missing
DEVICE = str(config.get("device", "cpu"))
RETRAIN = bool(int(config.get("retrain", 0)))  # 1: although older code has trained them


pathvars:
    results=f"results/{SCALE}",
    figures=f"figures/{SCALE}",
    paper=f"paper/{SCALE}",


def checked():
    """config.yaml and claims.yaml, or one sentence on what is wrong with them."""
    try:
        studies = load("config.yaml")
        mistakes = [check_scale(SCALE), *(check_report(studies, report) for report in REPORTS)]
        for mistake in filter(None, mistakes):
            raise ConfigError(mistake)
        claims.load("claims.yaml", studies.studies)
    except ValueError as error:
        raise WorkflowError(str(error)) from None
    return studies


def refusal():
    """Why nothing may run, in one sentence: older code has trained it, records are missing, or what was built from them
    is damaged; None if all is well."""
    if sentence := provenance.damage_sentence(SCALE):
        return sentence
    if TRAIN:
        return None if RETRAIN else stock.stale_sentence(NEEDS)
    return None if PARTIAL else stock.missing_sentence(NEEDS)


def longest():
    """Minutes that a cluster job may take at most, as the profile says; None if it does not."""
    resource = (workflow.resource_settings.default_resources or {}).get("longest")
    if not resource or resource.value is None:
        return None
    if not isinstance(resource.value, int) or resource.value < 1:
        raise WorkflowError(f"The profile's `longest` must be a whole number of minutes, not '{resource.value}'.")
    return resource.value


if DEVICE not in ("cpu", "cuda"):
    raise WorkflowError(f"The device must be cpu or cuda, not '{DEVICE}'.")
STUDIES = checked()
TIMED = [design.cell for design in designs(STUDIES, SCALE, REPORTS) if STUDIES.studies[design.study].timed]
JOBS = {job.cell.id: job for job in jobs(STUDIES, SCALE, REPORTS)}
NEEDS = []
if workflow.is_main_process:  # a cluster job starts Snakemake again, and need not look at the whole store for one cell
    DAMAGED = {}
    NEEDS = stock.take(JOBS.values(), Store(), DAMAGED)
    if sentence := stock.damage_sentence(DAMAGED) or refusal():
        raise WorkflowError(sentence)
    if not TRAIN and (sentence := stock.older_sentence(NEEDS)):
        logger.warning(sentence)
else:  # there too a failed cell must not stop others; the option is not passed on, and its value set after this is read
    ExecutionSettings.keep_going = property(lambda settings: True, lambda settings, given: None)
LONGEST = longest()
SECONDS = cost.by_cell(NEEDS)
GROUPS = cost.groups(SECONDS)
workflow.parent_groupids.update(dict.fromkeys(GROUPS.values(), "cells"))  # by which a profile names all of them


onstart:
    global LOCK  # held until this process ends
    Path("results").mkdir(exist_ok=True)
    LOCK = open("results/.lock", "a+")
    if locked(LOCK) is False:
        raise WorkflowError("Another command is at work in this folder; wait for it or stop it.")
    sign(LOCK)


def job(cell):
    """The job of a cell, or one sentence if there is none."""
    if cell not in JOBS:
        raise WorkflowError(f"There is no cell '{cell}' at scale {SCALE}; `snakemake -n` lists those that there are.")
    return JOBS[cell]
