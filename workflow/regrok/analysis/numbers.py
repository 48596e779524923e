"""Every number that the paper's text cites: numbers.json, {key: {value, low, high, n, censored, text}}.

Keys are dotted and stable, from the general to the particular: "data_fraction.0.5.t4", "operations.add.ordered.0.3.t4",
"optimizer_best.sgd.t4", "dropout.transformer.0.1.t4", "reported.transition.steps". `value`, `low`, `high`: numbers in
the unit of the quantity (steps, a share of 1, hours), None where there is none, it is infinite, or the entry is a word;
`n`: members; `censored`: those among them without the event; `text`: as printed. What was not run at this scale has the
text "not run".
"""

from collections.abc import Mapping
from math import ceil, floor, isfinite
from types import ModuleType

import pandas as pd

from ..tasks.modular import OPERATIONS
from ..tasks.split import train_size
from . import (
    architectures,
    format,
    model_sizes,
    numbers_002,
    numbers_003,
    numbers_precursors,
    numbers_tasks,
    reported,
    reported_001,
    setting_effects,
    summands,
    summary,
)
from .criteria_000 import law_name
from .entries import (
    NOT_RUN,
    Entries,
    Entry,
    entry,
    epochs,
    median,
    missing,
    number,
    of,
    percent,
    plain,
    ratio,
    steps,
    time,
)

PARTS: tuple[ModuleType, ...] = (numbers_002, numbers_003, numbers_precursors, numbers_tasks)
"""Files of this package for studies of a part of the paper, each with TABLES, the tables that it reads, EXPECTED, as
below, `key(study, cell)`, and `build(tables)` -> Entries beside those of cells."""

TABLES = (
    "cells",
    "designs",
    "members",
    "scaling",
    "data_fraction",
    "data_needed",
    "sensitivity",
    "optimizer_best",
    "setting_effects",
    "summands",
    "model_sizes",
    "transition",
    "early_stopping",
    "cost",
    "provenance",
    *(name for part in PARTS for name in part.TABLES),
)
"""The tables that the numbers are read from."""

PROVENANCE = ("device", "cpu", "capability", "torch", "numpy", "numba")
WIDTH = 128  # of the embeddings in every report but 000, which states none
FACTOR = {"hidden": 128, "layers": 2}  # report 000, section 2.1
TRANSITION = {"from": 0.01, "to": 1.0, "date": 50_000}  # report 000, sections 3.1.1 and 1.1.1


def build(tables: Mapping[str, pd.DataFrame], scale: str) -> dict[str, Entry]:
    """numbers.json, keys in alphabetical order.

    tables: those in `TABLES`. Raises ValueError if two numbers claim one key.
    """
    sources = (
        _reported(),
        _reported_001(),
        _design(tables["designs"], tables["members"], scale),
        _base(tables["cells"], tables["designs"]),
        _settings(tables),
        _data_fraction(tables["data_fraction"]),
        _data_needed(tables["data_needed"]),
        _optimizer_best(tables["optimizer_best"]),
        _setting_effects(tables["setting_effects"], tables["cells"]),
        _summands(tables["summands"], tables["cells"]),
        _model_sizes(tables["model_sizes"]),
        _scaling(tables["scaling"], tables["members"], tables["designs"]),
        _sensitivity(tables["sensitivity"]),
        _transition(tables["transition"]),
        _early_stopping(tables["early_stopping"]),
        _cost(tables["cost"]),
        _provenance(tables["provenance"]),
        *(part.build(tables) for part in PARTS),
    )
    numbers: dict[str, Entry] = {}
    for key, value in (pair for source in sources for pair in source):
        if key in numbers:
            raise ValueError(f"two numbers have the key '{key}'")
        numbers[key] = value
    return dict(sorted(numbers.items()))


# What the report says


def _reported() -> Entries:
    own = dict(reported.HYPERPARAMETERS)
    yield "reported.optimizer", entry(None, own.pop("optimizer"))
    for name, value in (own | FACTOR | {"parameters": reported.PARAMETERS}).items():
        yield f"reported.{name}", plain(value)
    for fraction, row in reported.DATA_FRACTION.items():
        none = not isfinite(row["steps"])
        yield f"reported.data_fraction.{fraction:g}", entry(None, "no grokking") if none else steps(row["steps"])
        yield f"reported.speedup.{fraction:g}", entry(None, format.NOTHING) if none else plain(row["speedup"])
    grokked = [fraction for fraction, row in reported.DATA_FRACTION.items() if isfinite(row["steps"])]
    yield "reported.data_fraction.lowest", plain(min(grokked))
    yield "reported.data_fraction.none", plain(max(reported.DATA_FRACTION.keys() - grokked))
    yield "reported.critical_fraction", plain(reported.CRITICAL_FRACTION)
    yield "reported.unsuccessful_steps", steps(reported.UNSUCCESSFUL_STEPS)
    yield "reported.grokking_step", steps(reported.GROKKING_STEP)
    yield "reported.transition.steps", steps(reported.TRANSITION_WIDTH)
    yield "reported.transition.date", steps(TRANSITION["date"])
    yield "reported.transition.from", percent(TRANSITION["from"])
    yield "reported.transition.to", percent(TRANSITION["to"])
    yield "reported.no_decay.steps", steps(reported.NO_DECAY["steps"])
    yield "reported.no_decay.train_acc", percent(reported.NO_DECAY["train_acc"])
    yield "reported.no_decay.val_acc", percent(reported.NO_DECAY["val_acc"], 1)
    yield "reported.parameter_ratio", _times(reported.TRANSFORMER["fewer_parameters"])
    yield "reported.speed_ratio", _times(reported.TRANSFORMER["faster_training"])
    yield "reported.compute_ratio", _times(reported.TRANSFORMER["less_compute"])
    yield "reported.transformer_parameters", steps(model_sizes.TRANSFORMER_PARAMETERS)
    for (hidden, layers), row in reported.ARCHITECTURES.items():
        yield f"reported.architectures.{hidden}x{layers}.parameters", steps(row["parameters"])
        yield f"reported.architectures.{hidden}x{layers}.grokking", entry(None, row["grokking"])


def _reported_001() -> Entries:
    own = dict(reported_001.HYPERPARAMETERS)
    yield "reported_001.optimizer", entry(None, own.pop("optimizer"))
    sizes = {f"large_modulus.{name}": value for name, value in reported_001.LARGE_MODULUS.items()}
    sizes |= {"modulus": reported_001.MODULUS, "fraction": reported_001.FRACTION}
    for name, value in (own | sizes).items():
        yield f"reported_001.{name}", plain(value)
    for model, settings in reported_001.MODELS.items():
        yield from ((f"reported_001.{model}.{name}", plain(value)) for name, value in settings.items())


def _times(value: float) -> Entry:
    return entry(value, f"{value:g} times")


# What was run


def _design(designs: pd.DataFrame, members: pd.DataFrame, scale: str) -> Entries:
    yield "scale", entry(None, scale)
    yield "design.cells", steps(members["cell"].nunique())
    yield "design.members", steps(len(members))
    yield "design.seeds", steps(members.groupby("cell").size().max() if len(members) else 0)
    yield "design.steps", steps(members["last_step"].sum())
    yield "design.studies", steps(designs["study"].nunique())
    yield "design.generalised", of(int(members["generalised"].sum()), len(members))
    yield "design.diverged", of(int(members["diverged"].sum()), len(members))
    for study, asked in designs.groupby("study"):
        yield f"{study}.budget", steps(asked["budget"].max())
        yield f"{study}.seeds", steps(asked["seeds"].max())
        yield f"{study}.cells", steps(asked["cell"].nunique())
    for study in EXPECTED.keys() - set(designs["study"]):
        for name in ("budget", "seeds", "cells"):
            yield f"{study}.{name}", missing()


def _base(cells: pd.DataFrame, designs: pd.DataFrame) -> Entries:
    """The base setting: the cell of the study `transition`, or that of data_fraction at the report's fraction."""
    asked = {study: set(own["cell"]) for study, own in designs.groupby("study")}
    at_fraction = cells["cell"].isin(asked.get("data_fraction", ())) & (cells["fraction"] == 0.5)
    found = pd.concat([cells[cells["cell"].isin(asked.get("transition", ()))], cells[at_fraction]])
    if found.empty:
        yield from ((f"base.{name}", missing()) for name in ("n_parameters", "examples", "train_examples", "batches"))
        return
    base = found.iloc[0]
    examples = int(base["modulus"]) * (int(base["modulus"]) - OPERATIONS[base["operation"]].inverts)
    train = train_size(examples, base["fraction"])
    yield "base.n_parameters", steps(base["n_parameters"])
    yield "base.examples", steps(examples)
    yield "base.train_examples", steps(train)
    yield "base.batches", steps((ceil if base["batch_last"] == "keep" else floor)(train / base["batch_size"]))


def _keys(study: str, cell: pd.Series) -> str:
    """The part of a cell's key that follows the study."""
    for part in PARTS:
        if study in part.EXPECTED:
            return part.key(study, cell)
    match study:
        case "data_fraction":
            return f"{cell['fraction']:g}"
        case "operations":
            return f"{cell['operation']}.{cell['pairs']}.{cell['fraction']:g}"
        case "no_decay":
            return cell["loss_precision"]
        case "optimizers":
            return cell["optimizer"] if cell["weight_decay"] else f"{cell['optimizer']}_no_decay"
        case "optimizer_sweep" | "optimizer_sweep_001":
            return f"{cell['optimizer']}.{cell['learning_rate']:g}.{cell['weight_decay']:g}"
        case "architectures":
            reading = "fixed" if cell["embedding"] == architectures.EMBEDDING else "matched"
            return f"{cell['hidden']}x{cell['layers']}.{reading}"
        case "against_transformer":
            return cell["architecture"]
        case "large_modulus":
            return cell["schedule"]
        case "fractions":
            return f"{_model(cell)}.{cell['fraction']:g}"
        case "dropout":
            return f"{_model(cell)}.{cell['dropout']:g}" + ("" if cell["weight_decay"] else ".no_decay")
        case "summands":
            return f"{cell['terms']}" + (".fixed" if summands.fixed_size(cell) else "")
        case "open_settings":
            return f"{_model(cell)}.{_opened(cell)}"
        case "optimizers_001":
            return _changed(cell)
    return cell["cell"]


def _model(cell: pd.Series) -> str:
    """An architecture of report 001, an LSTM with its hidden width."""
    return f"lstm{cell['hidden']}" if cell["architecture"] == "lstm" else cell["architecture"]


def _opened(cell: pd.Series) -> str:
    """What a cell of `open_settings` changes, if anything but the width of an LSTM."""
    changes = {"constant": cell["schedule"], "pre": cell["norm"], "sum": cell["positions"]}
    return ".".join(value for value, own in changes.items() if own == value) or "base"


def _changed(cell: pd.Series) -> str:
    """What a cell of `optimizers_001` changes of the report's setting."""
    if cell["optimizer"] != "adamw":
        return f"{cell['optimizer']}.{cell['learning_rate']:g}"
    stated = reported_001.HYPERPARAMETERS
    names = [name for name in ("weight_decay", "batch_size", "learning_rate") if cell[name] != stated[name]]
    return ".".join(f"{name}.{cell[name]:g}" for name in names) or "base"


MODELS = ("transformer", "residual_mlp", "lstm128")
SHAPES = [f"{hidden}x{layers}" for hidden, layers in reported.ARCHITECTURES]
EXPECTED = {
    "data_fraction": [f"{fraction:g}" for fraction in reported.DATA_FRACTION],
    "transition": [],
    "no_decay": ["float32", "float64"],
    "optimizers": ["adamw", "adam", "sgd", "adam_no_decay"],
    "optimizer_sweep": [],
    "operations": [f"{name}.{pairs}.0.5" for name in OPERATIONS for pairs in ("ordered", "unordered")],
    "architectures": [f"{shape}.{reading}" for shape in SHAPES for reading in ("fixed", "matched")],
    "sensitivity": [],
    "against_transformer": ["mlp", "transformer"],
    "large_modulus": ["staircase", "constant"],
    "fractions": [f"{model}.{fraction}" for model in (*MODELS, "lstm512") for fraction in (0.3, 0.5, 0.7, 0.9)],
    "open_settings": [
        *(f"{model}.{schedule}" for model in MODELS for schedule in ("base", "constant")),
        *("transformer.pre", "residual_mlp.sum", "lstm512.base"),
    ],
    "optimizers_001": [
        *("base", "weight_decay.0", "weight_decay.0.3", "weight_decay.3", "batch_size.64", "batch_size.512"),
        *("learning_rate.0.0001", "learning_rate.0.001", "sgd.0.0005", "sgd.0.05", "rmsprop.0.0005", "rmsprop.0.0001"),
    ],
    "optimizer_sweep_001": [],
    "dropout": [
        *(f"{model}.{rate:g}" for model in MODELS for rate in reported_001.DROPOUT),
        *(f"transformer.{rate:g}.no_decay" for rate in reported_001.DROPOUT),
    ],
    "summands": ["2", "3", "4", "3.fixed", "4.fixed"],
    **{study: names for part in PARTS for study, names in part.EXPECTED.items()},
}
"""Studies and the cells in them that the text may name at every scale, run or not."""
MODEL_SIZES = (
    *("mlp.97", "transformer.97", "transformer.41", "transformer.41x3", "transformer.41x4"),
    *("residual_mlp.41", "residual_mlp_sum.41", "lstm128.41", "lstm512.41"),
)
QUANTITIES = (
    *(
        "n",
        "parameters",
        "train_examples",
        "t2",
        "t2_epochs",
        "t4",
        "t4_epochs",
        "delay",
        "memorised",
        "generalised",
        "grokked",
        "diverged",
    ),
    *("train_acc", "val_acc", "best_val_acc", "zero_loss_share", "zero_loss_half_step"),
)
KEYED = tuple(study for study in EXPECTED if study not in ("transition", "sensitivity"))  # those two: their own tables


def _settings(tables: Mapping[str, pd.DataFrame]) -> Entries:
    """The same quantities of every cell of every study."""
    members, designs = tables["members"], tables["designs"]
    for study in [*KEYED, *sorted(set(designs["study"]) - EXPECTED.keys())]:
        done: dict[str, pd.DataFrame] = {}
        for cell, own in summary.by_cell(summary.studied(members, designs, study)):
            if (name := _keys(study, cell)) in done:
                raise ValueError(f"two cells of the study '{study}' have the key '{name}'")
            done[name] = own
        asked = tables["cells"][tables["cells"]["cell"].isin(designs.loc[designs["study"] == study, "cell"])]
        names = dict.fromkeys([*EXPECTED.get(study, ()), *(_keys(study, cell) for _, cell in asked.iterrows())])
        for name in names | done:
            quantities = _quantities(done[name]) if name in done else dict.fromkeys(QUANTITIES, missing())
            yield from ((f"{study}.{name}.{quantity}", value) for quantity, value in quantities.items())


def _quantities(members: pd.DataFrame) -> dict[str, Entry]:
    n = len(members)
    medians = members[["final_train_acc", "final_val_acc", "zero_loss_share", "zero_loss_half_step"]].median()
    return {
        "n": steps(n),
        "parameters": steps(members["n_parameters"].iloc[0]),
        "train_examples": steps(members["n_train"].iloc[0]),
        "t2": time(members, "t2"),
        "t2_epochs": epochs(members, "t2"),
        "t4": time(members, "t4"),
        "t4_epochs": epochs(members, "t4"),
        "delay": time(members, "t4", since=members["t2"].to_numpy(float)),
        "memorised": of(int(members["t2"].notna().sum()), n),
        "generalised": of(int(members["generalised"].sum()), n),
        "grokked": of(int(members["grokked"].sum()), n),
        "diverged": of(int(members["diverged"].sum()), n),
        "train_acc": percent(medians["final_train_acc"], 1, n),
        "val_acc": percent(medians["final_val_acc"], 1, n),
        "best_val_acc": percent(members["best_val_acc"].max(), 1, n),
        "zero_loss_share": percent(medians["zero_loss_share"], 0, n),
        "zero_loss_half_step": _or_never(medians["zero_loss_half_step"], n),
    }


def _or_never(value: float, n: int) -> Entry:
    return steps(value, n) if isfinite(value) else entry(None, "never", n=n)


# What the derived tables say


def _data_fraction(table: pd.DataFrame) -> Entries:
    for _, row in table.iterrows():
        yield f"speedup.{row['fraction']:g}", ratio(row, "speedup") if row["n"] else missing()


def _data_needed(table: pd.DataFrame) -> Entries:
    done = {(row["operation"], row["pairs"]): row for _, row in table.iterrows()}
    for operation, pairs in ((name, pairs) for name in OPERATIONS for pairs in ("ordered", "unordered")):
        key, row = f"data_needed.{operation}.{pairs}", done.get((operation, pairs))
        if row is None:
            yield from ((f"{key}.{name}", missing()) for name in ("fraction", "steps_ratio", "mirror_ratio"))
            continue
        needed = row["needed"]
        yield f"{key}.fraction", plain(needed) if isfinite(needed) else entry(None, "more than tried", n=row["n"])
        yield f"{key}.steps_ratio", ratio(row, "steps_ratio")
        yield f"{key}.mirror_ratio", ratio(row, "mirror_ratio")


def _optimizer_best(table: pd.DataFrame) -> Entries:
    done = {(row["study"], row["optimizer"]): row for _, row in table.iterrows()}
    swept = [("optimizer_sweep", optimizer) for optimizer in ("adamw", "adam", "sgd")]
    swept += [("optimizer_sweep_001", optimizer) for optimizer in ("adamw", "sgd", "rmsprop")]
    for study, optimizer in swept:
        key, row = f"{study.replace('sweep', 'best')}.{optimizer}", done.get((study, optimizer))
        if row is None or not row["n"]:
            yield from ((f"{key}.{name}", missing()) for name in ("t4", "generalised", "memorised", "points"))
            continue
        n = int(row["n"])
        yield f"{key}.t4", median(*(row[name] for name in ("median", "low", "high", "n", "events", "text")))
        yield f"{key}.generalised", of(int(row["events"]), n)
        yield f"{key}.memorised", of(round(row["share_memorised"] * n), n)
        yield f"{key}.points", steps(row["points"])


def _setting_effects(table: pd.DataFrame, cells: pd.DataFrame) -> Entries:
    for study in setting_effects.STUDIES:
        done = _named(table[table["study"] == study], cells, study)
        for name in dict.fromkeys([*EXPECTED[study], *done]):
            yield f"{study}.{name}.ratio", ratio(done[name], "ratio") if name in done else missing()


def _summands(table: pd.DataFrame, cells: pd.DataFrame) -> Entries:
    counts, widths = (
        ("n_examples", "evaluated_train", "evaluated_val", "steps_per_epoch"),
        ("half_width", "half_width_worst"),
    )
    done = _named(table, cells, "summands")
    for name in dict.fromkeys([*EXPECTED["summands"], *done]):
        key, row = f"summands.{name}", done.get(name)
        if row is None:
            yield from ((f"{key}.{column}", missing()) for column in (*counts, *widths))
            continue
        yield from ((f"{key}.{column}", steps(row[column])) for column in counts)
        yield from ((f"{key}.{column}", entry(row[column], format.number(row[column], 2))) for column in widths)


def _named(table: pd.DataFrame, cells: pd.DataFrame, study: str) -> dict[str, pd.Series]:
    """The rows of a table of cells by the part of their keys that follows the study."""
    settings = cells.set_index("cell", drop=False)
    return {_keys(study, settings.loc[row["cell"]]): row for _, row in table.iterrows()}


def _model_sizes(table: pd.DataFrame) -> Entries:
    columns = ("n_parameters", "non_embedding", "flops_per_step")
    done = {_size(row): row for _, row in table.iterrows()}
    for name in dict.fromkeys([*MODEL_SIZES, *done]):
        for column in columns:
            value = (number if column == "flops_per_step" else steps)(done[name][column]) if name in done else missing()
            yield f"model_sizes.{name}.{column}", value


def _size(row: pd.Series) -> str:
    model = _model(row) + ("_sum" if row["positions"] == "sum" else "")
    width = row["embedding"] if pd.isna(row["width"]) else row["width"]
    stated = "" if width in (architectures.EMBEDDING, WIDTH) else f".{width:g}"
    return f"{model}.{row['modulus']}" + (f"x{row['terms']}" if row["terms"] > 2 else "") + stated


def _scaling(table: pd.DataFrame, members: pd.DataFrame, designs: pd.DataFrame) -> Entries:
    for source, fits in table.groupby("source", sort=False):
        fitted = fits[fits["aic"].notna()]
        best = fitted.loc[fitted["aic"].idxmin()] if len(fitted) else None
        none = "not fitted" if fits["n"].max() else NOT_RUN
        yield f"scaling.{source}.best", entry(None, none if best is None else law_name(best["law"]))
        for _, row in fits.iterrows():
            yield from ((f"scaling.{source}.{row['law']}.{name}", value) for name, value in _law(row).items())
    chosen = summary.studied(members, designs, "data_fraction")
    lowest = chosen.loc[chosen["generalised"], "fraction"].min()
    none = entry(None, "none", n=len(chosen)) if len(chosen) else missing()
    yield "scaling.ours.lowest", plain(lowest) if isfinite(lowest) else none


def _law(row: pd.Series) -> dict[str, Entry]:
    shift = {"power_offset": "offset", "threshold": "rc"}.get(row["law"])
    names = {"scale": "scale", "exponent": "exponent"} | ({"shift": shift} if shift else {})
    if row["reason"]:
        nothing = entry(None, "not fitted", n=int(row["n"])) if row["n"] else missing()
        return dict.fromkeys(("delta_aic", "aic", "formula", *names.values()), nothing)
    parameters = {}
    for column, name in names.items():
        value, low, high = (row[f"{column}{end}"] for end in ("", "_low", "_high"))
        interval = f" [{format.number(low)},{format.FIXED}{format.number(high)}]" if isfinite(low) else ""
        parameters[name] = entry(value, format.number(value) + interval, low, high, int(row["n"]))
    return parameters | {
        "delta_aic": entry(row["delta_aic"], f"{row['delta_aic']:.1f}", n=int(row["n"])),
        "aic": entry(row["aic"], f"{row['aic']:.1f}".replace("-", "−"), n=int(row["n"])),
        "formula": entry(None, row["text"], n=int(row["n"])),
    }


def _sensitivity(table: pd.DataFrame) -> Entries:
    for _, row in table.iterrows():
        setting = f"{row['setting']}.{row['value']}" if row["setting"] else "base"
        key = f"sensitivity.{row['fraction']:g}.{setting}"
        yield f"{key}.t4", median(*(row[name] for name in ("median", "low", "high", "n", "events", "text")))
        yield f"{key}.ratio", ratio(row, "ratio")


def _transition(table: pd.DataFrame) -> Entries:
    made = table.dropna(subset="width")
    yield "transition.n", steps(len(made))
    yield "transition.members", steps(len(table))
    medians = {name: made[name].median() for name in ("width", "width_after", "steepest", "spacing")}
    for name, value in medians.items():
        kind = percent if name == "steepest" else steps
        yield f"transition.{name}", kind(value, n=len(made)) if len(made) else entry(None, _absent(table), n=0)
    widths = [made["width"].min(), made["width"].max()]
    for name, value in zip(("shortest", "longest"), widths, strict=True):
        yield f"transition.{name}", steps(value) if len(made) else entry(None, _absent(table), n=0)


def _absent(table: pd.DataFrame) -> str:
    return "none has generalised" if len(table) else NOT_RUN


def _early_stopping(table: pd.DataFrame) -> Entries:
    yield "early_stopping.n", steps(table["n"].max() if len(table) else 0)
    for _, row in table.iterrows():
        key, n = f"early_stopping.{row['rule']}.{int(row['patience'])}", int(row["n"])
        if not n:
            yield from ((f"{key}.{name}", missing()) for name in ("cut", "share", "median_stop", "kept_val_acc"))
            continue
        yield f"{key}.cut", of(int(row["cut"]), n)
        yield f"{key}.share", entry(row["share"], format.percent(row["share"]), row["low"], row["high"], n)
        yield f"{key}.median_stop", steps(row["median_stop"], n)
        yield f"{key}.kept_val_acc", percent(row["kept_val_acc"], 1, n)


def _cost(table: pd.DataFrame) -> Entries:
    counts, amounts = ("asked", "cells", "members", "member_steps", "evaluations"), ("cpu_hours", "wall_hours", "flops")
    for _, row in table.iterrows():
        key = f"cost.{row['study']}"
        yield from ((f"{key}.{name}", steps(row[name])) for name in counts)
        yield from ((f"{key}.{name}", number(row[name])) for name in amounts)
        yield f"{key}.evaluation_share", percent(row["evaluation_share"])
        if row["study"] == "total":
            yield from ((f"cost.{name}", number(row[name])) for name in amounts)
    for study in EXPECTED.keys() - set(table["study"]):
        yield from ((f"cost.{study}.{name}", missing()) for name in (*counts, *amounts, "evaluation_share"))


def _provenance(provenance: pd.DataFrame) -> Entries:
    for name in PROVENANCE:
        yield f"provenance.{name}", entry(None, ", ".join(provenance[name].unique()) or "not recorded")
