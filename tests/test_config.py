"""config.yaml: what is accepted, and the sentence for everything that is not."""

import copy
import functools
import json
import operator
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from regrok.config import ConfigError, check_report, check_scale, load, read, schema
from regrok.experiment import SCALES, designs, jobs

ROOT = Path(__file__).parents[1]

CONFIG = textwrap.dedent("""\
    settings:
      mlp:
        task: {operation: divide, modulus: 97}
        split: {fraction: 0.5, pairs: ordered}
        model: {architecture: mlp, embedding: 80, hidden: 128, layers: 2, embedding_std: 1.0}
        optimizer:
          {name: adamw, learning_rate: 1e-3, weight_decay: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decays: all}
        schedule: {shape: constant, warmup: 10}
        batches: {size: 512, order: shuffled, last: keep}
        loss: {precision: float32}
    scales:
      smoke: {seeds: 2, budget: 300}
      laptop: {seeds: 3, budget: 20000}
      desk: {seeds: 8, budget: 100000}
      cluster: {seeds: 8, budget: 1000000}
    studies:
      fractions:
        report: "000"
        question: How many steps does each fraction need?
        base: mlp
        set: {batches.order: shuffled}
        reference: {split.fraction: 0.3}
        grids:
          - axes: {split.fraction: [0.3, 0.5, 0.7], task.operation: [divide, add]}
            scales:
              smoke: {keep: {split.fraction: [0.5]}}
          - axes: {split.fraction: [0.2]}
            cases: [{task.operation: divide}, {task.operation: add}]
            stop: budget
            scales: {smoke: {skip: true}}
    """)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write config.yaml, with one passage replaced by another, into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(old: str = "", new: str = "", text: str = CONFIG) -> Path:
        assert text.count(old) == 1 or not old, f"'{old}' does not occur once"
        Path("config.yaml").write_text(text.replace(old, new) if old else text, encoding="utf-8")
        return Path("config.yaml")

    return write


def complaint(path: Path) -> str:
    with pytest.raises(ConfigError) as error:
        load(path)
    return str(error.value)


def test_a_good_config_loads(write):
    config = load(write())
    assert [len(designs(config, scale)) for scale in SCALES] == [2, 8, 8, 8]
    assert config.settings["mlp"].optimizer.learning_rate == 0.001


OPERATIONS = (
    "'add', 'brackets', 'deduplicate', 'divide', 'majority', 'multiply', 'palindrome', 'parity', 'random', "
    "'repetition', 'reverse', 'rotate', 'shift', 'subtract', 'sum', 'xor', a formula such as x**2 + y or beside a "
    "group, a word such as x y x^-1"
)
READING = {
    "syntax": ("seeds: 2, budget", "seeds: 2: budget", "line 12 is not valid YAML: expected ',' or '}', but got ':'."),
    "tab": (
        "smoke: {seeds: 2, budget: 300}",
        "\tsmoke: {}",
        "line 12 is not valid YAML: found character '\\t' that cannot start any token.",
    ),
    "bad date": ("seeds: 2,", "seeds: 2020-13-45,", "the file is not valid YAML: month must be in 1..12."),
    "foreign tag": (
        "seeds: 2,",
        "seeds: !!python/name:os.system ,",
        "line 12 is not valid YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/name:os.system'.",
    ),
    "duplicate key": (
        "smoke: {seeds: 2, budget: 300}",
        "smoke: {seeds: 2, budget: 300, seeds: 3}",
        "line 12: the key 'seeds' is given twice, first in line 12.",
    ),
    "duplicate study": (
        "studies:\n",
        "studies:\n  fractions: {}\n",
        "line 18: the key 'fractions' is given twice, first in line 17.",
    ),
}

SHAPE = {
    "unknown key at the top": (
        "scales:\n  smoke",
        "scale: 1\nscales:\n  smoke",
        "scale is no known key; did you mean scales?",
    ),
    "unknown key": (
        "base: mlp",
        "base: mlp\n    baze: 1",
        "studies.fractions.baze is no known key; did you mean base?",
    ),
    "misspelt key rather than the missing one": (
        "question: How",
        "qestion: How",
        "studies.fractions.qestion is no known key; did you mean question?",
    ),
    "unknown key without a near one": (
        "stop: budget",
        "xyz: budget",
        "studies.fractions.grids[1].xyz is no known key; known are set, axes, cases, stop and scales.",
    ),
    "unknown key of a scale": (
        "seeds: 2, budget: 300",
        "seeds: 2, budget: 300, sed: 1",
        "scales.smoke.sed is no known key; did you mean seeds?",
    ),
    "a key that is no text": (
        "stop: budget",
        "3: 4",
        "studies.fractions.grids[1][3] is no known key; known are set, axes, cases, stop and scales.",
    ),
    "an axis that is no text": (
        "{split.fraction: [0.2]}",
        "{3: [0.2]}",
        "studies.fractions.grids[1].axes[3] is no known key; a name must be text.",
    ),
    "unknown scale": ("desk:", "dest:", "scales.dest is no known key; did you mean desk?"),
    "name of a study": (
        "  fractions:",
        "  My fractions:",
        "studies.My fractions is no known key; a name must be text of the form ^[a-z][a-z0-9_]*$.",
    ),
    "missing key": ("    base: mlp\n", "", "studies.fractions.base is missing; it must be text."),
    "missing setting": (
        "hidden: 128, ",
        "",
        "settings.mlp.model.hidden is missing; it must be a whole number of at least 1.",
    ),
    "missing kind": (
        "shape: constant, ",
        "",
        "settings.mlp.schedule.shape is missing; it must be 'constant', 'cosine' or 'staircase'.",
    ),
    "unknown optimiser": (
        "name: adamw",
        "name: lion",
        "settings.mlp.optimizer.name must be 'adam', 'adamw', 'rmsprop' or 'sgd', not 'lion'.",
    ),
    "unknown operation": (
        "operation: divide, mod",
        "operation: plus, mod",
        f"settings.mlp.task.operation must be {OPERATIONS}, not 'plus'.",
    ),
    "composite modulus": (
        "modulus: 97",
        "modulus: 96",
        "settings.mlp.task: 'divide' needs a prime modulus, and 96 is not prime.",
    ),
    "fraction": (
        "fraction: 0.5, pairs",
        "fraction: 1.5, pairs",
        "settings.mlp.split.fraction must be a number above 0 and below 1, not 1.5.",
    ),
    "text for a number": (
        "learning_rate: 1e-3",
        "learning_rate: abc",
        "settings.mlp.optimizer.learning_rate must be a number above 0, not 'abc'.",
    ),
    "boolean for a number": (
        "weight_decay: 1,",
        "weight_decay: yes,",
        "settings.mlp.optimizer.weight_decay must be a number of at least 0, not true.",
    ),
    "boolean for a whole number": (
        "layers: 2",
        "layers: true",
        "settings.mlp.model.layers must be a whole number of at least 1, not true.",
    ),
    "infinity": (
        "weight_decay: 1,",
        "weight_decay: .inf,",
        "settings.mlp.optimizer.weight_decay must be a number of at least 0, not inf.",
    ),
    "not a number": (
        "embedding_std: 1.0",
        "embedding_std: .nan",
        "settings.mlp.model.embedding_std must be a number above 0, not nan.",
    ),
    "half a layer": (
        "layers: 2",
        "layers: 2.5",
        "settings.mlp.model.layers must be a whole number of at least 1, not 2.5.",
    ),
    "empty value": (
        "layers: 2",
        "layers: ",
        "settings.mlp.model.layers must be a whole number of at least 1, not empty.",
    ),
    "batch": (
        "size: 512",
        "size: 5000",
        "settings.mlp: batches.size must be at most 4656, the training set (fraction 0.5 of 9312 examples), not 5000.",
    ),
    "batch in words": (
        "size: 512",
        "size: all",
        "settings.mlp.batches.size must be a whole number of at least 1 or 'full', not 'all'.",
    ),
    "full batch drawn with replacement": (
        "{size: 512, order: shuffled,",
        "{size: full, order: replacement,",
        "settings.mlp.batches: batches.order must be 'shuffled' where batches.size is 'full', not 'replacement'.",
    ),
    "no seeds": ("{seeds: 2,", "{seeds: 0,", "scales.smoke.seeds must be a whole number of at least 1, not 0."),
    "seeds of a study": (
        "{skip: true}",
        "{skip: true, seeds: -1}",
        "studies.fractions.grids[1].scales.smoke.seeds must be a whole number of at least 1, not -1.",
    ),
    "short budget": ("budget: 300", "budget: 10", "scales.smoke.budget must be a whole number of at least 50, not 10."),
    "scale left out": (
        "  desk: {seeds: 8, budget: 100000}\n",
        "",
        "scales.desk.seeds is missing; it must be a whole number of at least 1.",
    ),
    "scale without budget": (
        "{seeds: 8, budget: 100000}",
        "{seeds: 8}",
        "scales.desk.budget is missing; it must be a whole number of at least 50.",
    ),
    "report that YAML takes for a number": (
        'report: "000"',
        "report: 000",
        "studies.fractions.report must be text such as '000', in quotes, not 0.",
    ),
    "no grids": (
        CONFIG[CONFIG.index("    grids:") :],
        "    grids: []\n",
        "studies.fractions.grids is empty; it must have at least 1.",
    ),
    "no studies": (CONFIG[CONFIG.index("studies:") :], "studies: {}\n", "studies is empty; it must have at least 1."),
    "axis that is no list": (
        "{split.fraction: [0.2]}",
        "{split.fraction: 0.2}",
        "studies.fractions.grids[1].axes.split.fraction must be a list, not 0.2.",
    ),
    "block that is none": (
        "scales: {smoke: {skip: true}}",
        "scales: none",
        "studies.fractions.grids[1].scales must be a block of keys, not 'none'.",
    ),
    "switch": (
        "{skip: true}",
        "{skip: maybe}",
        "studies.fractions.grids[1].scales.smoke.skip must be true or false, not 'maybe'.",
    ),
}

GRIDS = {
    "unknown base": (
        "base: mlp",
        "base: mpl",
        "studies.fractions.base must name one of the settings, not 'mpl'; did you mean mlp?",
    ),
    "unknown setting in set": (
        "set: {batches.order: shuffled}",
        "set: {optimizer.weight_decy: 1}",
        "studies.fractions.set.optimizer.weight_decy is no known setting; did you mean optimizer.weight_decay?",
    ),
    "unknown setting in axes": (
        "{split.fraction: [0.2]}",
        "{fraction: [0.2]}",
        "studies.fractions.grids[1].axes.fraction is no known setting; did you mean split.fraction?",
    ),
    "unknown setting in cases": (
        "[{task.operation: divide},",
        "[{task.modulo: divide},",
        "studies.fractions.grids[1].cases[0].task.modulo is no known setting; did you mean task.modulus?",
    ),
    "unknown setting in the reference": (
        "reference: {split.fraction: 0.3}",
        "reference: {split.fractoin: 0.3}",
        "studies.fractions.reference.split.fractoin is no known setting; did you mean split.fraction?",
    ),
    "unknown block": (
        "set: {batches.order: shuffled}",
        "set: {zzz.q: 1}",
        "studies.fractions.set.zzz.q is no known setting; "
        "known are task, split, model, optimizer, schedule, batches and loss.",
    ),
    "block given as a value": (
        "set: {batches.order: shuffled}",
        "set: {optimizer: sgd}",
        "studies.fractions.set.optimizer must be a block of keys, not 'sgd'.",
    ),
    "axis over blocks given as values": (
        "{split.fraction: [0.2]}",
        "{split.fraction: [0.2], schedule: [constant, cosine]}",
        "studies.fractions.grids[1].axes.schedule must be a block of keys, not 'constant'.",
    ),
    "fraction on an axis": (
        "[0.2]",
        "[0.2, 1.2]",
        "studies.fractions.grids[1].axes.split.fraction must be a number above 0 and below 1, not 1.2.",
    ),
    "operation in a case": (
        "[{task.operation: divide}, {task.operation: add}]",
        "[{task.operation: divide}, {task.operation: plus}]",
        f"studies.fractions.grids[1].cases[1].task.operation must be {OPERATIONS}, not 'plus'.",
    ),
    "value in a study's set": (
        "set: {batches.order: shuffled}",
        "set: {batches.order: sorted}",
        "studies.fractions.set.batches.order must be 'shuffled' or 'replacement', not 'sorted'.",
    ),
    "value in a block": (
        "set: {batches.order: shuffled}",
        "set: {batches: {size: 0, order: shuffled, last: keep}}",
        "studies.fractions.set.batches.size must be a whole number of at least 1 or 'full', not 0.",
    ),
    "kind of a block": (
        "set: {batches.order: shuffled}",
        "set: {schedule: {shape: linear}}",
        "studies.fractions.set.schedule.shape must be 'constant', 'cosine' or 'staircase', not 'linear'.",
    ),
    "kind of a block alone": (
        "set: {batches.order: shuffled}",
        "set: {schedule.shape: linear}",
        "studies.fractions.set.schedule.shape must be 'constant', 'cosine' or 'staircase', not 'linear'.",
    ),
    "kind that needs other settings": (
        "set: {batches.order: shuffled}",
        "set: {optimizer.name: sgd}",
        "studies.fractions.set.optimizer.name: 'sgd' has other settings than the base; give the whole block, "
        "optimizer: {name: sgd, learning_rate: …, weight_decay: …, momentum: …, decays: …}.",
    ),
    "setting of another kind": (
        "set: {batches.order: shuffled}",
        "set: {optimizer.momentum: 0.9}",
        "studies.fractions.set.optimizer.momentum is no key of 'adamw'; "
        "known are name, learning_rate, weight_decay, beta1, beta2, epsilon and decays.",
    ),
    "composite modulus on an axis": (
        "{split.fraction: [0.2]}",
        "{split.fraction: [0.2], task.modulus: [97, 91]}",
        "studies.fractions.grids[1] with split.fraction 0.2, task.modulus 91 and task.operation 'divide': "
        "'divide' needs a prime modulus, and 91 is not prime.",
    ),
    "batch larger than the training set": (
        "[0.2]",
        "[0.2, 0.05]",
        "studies.fractions.grids[1] with split.fraction 0.05 and task.operation 'divide': "
        "batches.size must be at most 466, the training set (fraction 0.05 of 9312 examples), not 512.",
    ),
    "axis without values": (
        "[0.2]",
        "[]",
        "studies.fractions.grids[1].axes.split.fraction has no values; give at least one, or leave the axis out.",
    ),
    "value twice": (
        "[0.2]",
        "[0.2, 0.20]",
        "studies.fractions.grids[1].axes.split.fraction has the value 0.2 twice; leave one out.",
    ),
    "point twice": (
        "[{task.operation: divide}, {task.operation: add}]",
        "[{task.operation: divide}, {task.operation: divide, loss.precision: float32}]",
        "studies.fractions.grids[1] with split.fraction 0.2 and task.operation 'divide' is the same cell as with "
        "split.fraction 0.2, task.operation 'divide' and loss.precision 'float32'; leave one out.",
    ),
    "axis that the study sets": (
        "set: {batches.order: shuffled}",
        "set: {split.fraction: 0.4}",
        "studies.fractions.grids[0].axes.split.fraction is also set by studies.fractions.set.split.fraction; "
        "leave one of them out.",
    ),
    "axis that the grid sets": (
        "stop: budget",
        "set: {split.fraction: 0.4}",
        "studies.fractions.grids[1].axes.split.fraction is also set by studies.fractions.grids[1].set.split.fraction; "
        "leave one of them out.",
    ),
    "axis that a case sets": (
        "{task.operation: add}]\n        stop",
        "{task.operation: add, split: {fraction: 0.4, pairs: ordered}}]\n        stop",
        "studies.fractions.grids[1].axes.split.fraction is also set by studies.fractions.grids[1].cases[1].split; "
        "leave one of them out.",
    ),
    "axis that another replaces": (
        "{split.fraction: [0.2]}",
        "{split.fraction: [0.2], split: [{fraction: 0.4, pairs: ordered}]}",
        "studies.fractions.grids[1].axes.split.fraction is also set by studies.fractions.grids[1].axes.split; "
        "leave one of them out.",
    ),
    "axis that replaces what is set": (
        "{split.fraction: [0.2]}",
        "{split.fraction: [0.2], batches: [{size: 9, order: shuffled, last: keep}]}",
        "studies.fractions.grids[1].axes.batches is also set by studies.fractions.set.batches.order; "
        "leave one of them out.",
    ),
    "reference that picks nothing": (
        "reference: {split.fraction: 0.3}",
        "reference: {split.fraction: 0.35}",
        "studies.fractions.reference picks no cell of the study: none has split.fraction 0.35.",
    ),
    "reference that picks everything": (
        "reference: {split.fraction: 0.3}",
        "reference: {task.modulus: 97}",
        "studies.fractions.reference picks every cell; it must name a setting that the study varies.",
    ),
    "reference that misses a group": (
        "[{task.operation: divide}, {task.operation: add}]",
        "[{task.operation: divide}, {task.operation: multiply}]",
        "studies.fractions.reference picks no cells with task.operation 'multiply'; "
        "it must pick one for each group of comparable cells.",
    ),
    "reference that picks several": (
        "      - axes: {split.fraction: [0.2]}\n        cases: [{task.operation: divide}, {task.operation: add}]",
        "      - cases:\n"
        "          - {split.fraction: 0.3, optimizer.beta1: 0.8}\n"
        "          - optimizer: {name: sgd, learning_rate: 1e-3, weight_decay: 1, momentum: 0, decays: all}",
        "studies.fractions.reference picks 2 cells with task.operation 'divide' and optimizer.name 'adamw'; "
        "it must pick one for each group of comparable cells.",
    ),
}

SCALING = {
    "kept value that the axis has not": (
        "keep: {split.fraction: [0.5]}",
        "keep: {split.fraction: [0.5, 0.55]}",
        "studies.fractions.grids[0].scales.smoke.keep.split.fraction keeps 0.55, which is no value of that axis; "
        "known are 0.3, 0.5 and 0.7.",
    ),
    "kept path that is no axis": (
        "keep: {split.fraction: [0.5]}",
        "keep: {split.pairs: [ordered]}",
        "studies.fractions.grids[0].scales.smoke.keep.split.pairs is no axis; "
        "known are split.fraction and task.operation.",
    ),
    "kept path that is no axis of any study": (
        "{seeds: 2, budget: 300}",
        "{seeds: 2, budget: 300, keep: {split.fractions: [0.5]}}",
        "scales.smoke.keep.split.fractions is no axis; did you mean split.fraction?",
    ),
    "nothing kept": (
        "keep: {split.fraction: [0.5]}",
        "keep: {split.fraction: []}",
        "studies.fractions.grids[0].scales.smoke.keep leaves no point of studies.fractions.grids[0]; "
        "keep a value that it has, or give it scales.smoke.skip: true.",
    ),
    "nothing kept of one grid by the study": (
        "base: mlp",
        "base: mlp\n    scales: {laptop: {keep: {split.fraction: [0.5]}}}",
        "studies.fractions.scales.laptop.keep leaves no point of studies.fractions.grids[1]; "
        "keep a value that it has, or give it scales.laptop.skip: true.",
    ),
    "all grids skipped": (
        "smoke: {keep: {split.fraction: [0.5]}}",
        "smoke: {skip: true}",
        "studies.fractions.scales.smoke.skip must be true, since all grids of the study are skipped at that scale.",
    ),
    "fewer seeds at a bigger scale": (
        "cluster: {seeds: 8,",
        "cluster: {seeds: 6,",
        "scales.cluster.seeds must be at least 8, as scales.desk.seeds is, not 6, for studies.fractions.grids[0].",
    ),
    "budget that shrinks": (
        "stop: budget\n        scales: {smoke: {skip: true}}",
        "scales: {smoke: {skip: true}, laptop: {budget: 500000}}",
        "scales.desk.budget must be at least 500000, as studies.fractions.grids[1].scales.laptop.budget is, "
        "not 100000, for studies.fractions.grids[1].",
    ),
}

CASES = {**READING, **SHAPE, **GRIDS, **SCALING}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_one_sentence(write, case):
    old, new, sentence = CASES[case]
    assert complaint(write(old, new)) == f"config.yaml: {sentence}"


def test_files_that_cannot_be_read(write):
    assert complaint(Path("none.yaml")) == "none.yaml: the file cannot be read: No such file or directory."
    assert complaint(Path(".")) == ".: the file cannot be read: Is a directory."
    path = write()
    path.write_text("")
    assert complaint(path) == "config.yaml: the file must be a block of keys, not empty."
    path.write_bytes("é".encode("latin-1"))
    assert complaint(path).startswith("config.yaml: the file is not valid YAML: 'utf-8' codec can't decode byte 0xe9")


@pytest.mark.parametrize("rate", ["1e-5", "1E-5", "'1e-5'", "0.00001", "1.0e-05"])
def test_every_spelling_of_a_number_is_the_number(write, rate):
    config = load(write("set: {batches.order: shuffled}", f"set: {{optimizer.learning_rate: {rate}}}"))
    assert {design.cell.optimizer.learning_rate for design in designs(config, None)} == {1e-5}
    text = CONFIG.replace("    reference: {split.fraction: 0.3}\n", "")
    text = text.replace(
        "{split.fraction: [0.2]}", f"{{split.fraction: [0.2], optimizer.learning_rate: [{rate}, 2e+3]}}"
    )
    varied = [d.cell for d in designs(load(write(text=text)), None) if "optimizer.learning_rate" in d.varied]
    assert {cell.optimizer.learning_rate for cell in varied} == {1e-5, 2000.0}


def test_kept_values_may_be_spelt_differently(write):
    text = CONFIG.replace("{split.fraction: [0.3, 0.5, 0.7]", "{split.fraction: [3e-1, 0.50, 0.7]")
    assert {job.cell.split.fraction for job in jobs(load(write(text=text)), "smoke")} == {0.5}


def test_a_budget_must_be_a_common_evaluation_step(write):
    with pytest.raises(ConfigError, match=r"scales\.smoke\.budget: 337 is no step .*; take 300 or"):
        load(write("smoke: {seeds: 2, budget: 300}", "smoke: {seeds: 2, budget: 337}"))


def test_anchors_and_merges_are_no_duplicates(write):
    text = CONFIG.replace("smoke: {seeds: 2, budget: 300}", "smoke: &few {seeds: 2, budget: 300}")
    text = text.replace("laptop: {seeds: 3, budget: 20000}", "laptop: {<<: *few, budget: 20000}")
    config = load(write(text=text))
    assert (config.scales["laptop"].seeds, config.scales["laptop"].budget) == (2, 20000)


def test_names_on_the_command_line(write):
    config = load(write())
    assert [check_scale(scale) for scale in SCALES] == [None] * 4
    assert check_scale("dsek") == "'dsek' is no scale; did you mean desk?"
    assert check_scale("q") == "'q' is no scale; known are smoke, laptop, desk and cluster"
    assert check_report(config, "000") is None
    assert check_report(config, "abc") == "'abc' is no report of a study; known are 000"


JUNK = [None, True, -1, 0, 2.5, float("nan"), float("inf"), "", "sgd", "1e-5", [], [[]], [{}], {}, {"name": []}, {1: 2}]


def branches(node, path=()):
    """Paths of all nodes of a tree of dicts and lists."""
    yield path
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from branches(child, (*path, key))


TREE = yaml.safe_load(CONFIG)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(branches(TREE))[1:]), st.sampled_from(JUNK), st.sampled_from(["replace", "add", "remove"]))
def test_whatever_is_wrong_it_is_a_sentence(path, junk, how):
    tree = copy.deepcopy(TREE)
    parent = functools.reduce(operator.getitem, path[:-1], tree)
    if how == "replace":
        parent[path[-1]] = junk
    elif how == "remove":
        del parent[path[-1]]
    elif isinstance(parent, dict):
        parent["loss"] = junk
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(tree, file)
        file.flush()
        sentence = complaint_or_nothing(file.name)
    assert re.fullmatch(f"{file.name}: .+[.?]", sentence or f"{file.name}: fine.")


def complaint_or_nothing(path):
    try:
        load(path)
    except ConfigError as error:
        return str(error)


def test_the_committed_schema_is_current():
    committed = ROOT / "workflow/schemas/config.schema.json"
    assert committed.read_text(encoding="utf-8") == schema(), f"run: python -m regrok.config > {committed}"


def test_the_module_prints_the_schema():
    printed = subprocess.run([sys.executable, "-m", "regrok.config"], capture_output=True, check=True).stdout
    assert printed.decode() == schema()


def test_editors_accept_a_good_config_and_mark_a_bad_one(write):
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    good = read(write())
    assert not list(validator.iter_errors(good))
    for old, new in (
        ("set: {batches.order: shuffled}", "set: {optimizer.weight_decy: 1}"),
        ("[0.3, 0.5, 0.7]", "[0.3, 0.5, 7]"),
        ("keep: {split.fraction", "keep: {split.fractions"),
        ("stop: budget", "stop: never"),
    ):
        assert list(validator.iter_errors(read(write(old, new)))), new


def test_the_shipped_config():
    path = ROOT / "config.yaml"
    config = load(path)
    jsonschema.validate(read(path), json.loads(schema()))
    assert path.read_text(encoding="utf-8").startswith(
        "# yaml-language-server: $schema=workflow/schemas/config.schema.json\n"
    )
    assert {"data_fraction", "transition", "operations", "no_decay", "architectures", "sensitivity"} <= set(
        config.studies
    )
