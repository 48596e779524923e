"""How large the models of all reports are; of report 000, those that it compares with a Transformer."""

import numpy as np
import pandas as pd

from . import factors, reported, summary

INPUTS = ("cells", "designs")
REPORTS = "000-C5"
SIZES = ["architecture", "embedding", "width", "hidden", "layers", "heads", "positions", "modulus", "terms"]
TRANSFORMER_PARAMETERS = 400_000  # without embeddings; Power et al. 2022, appendix A.1.2
COLUMNS = {
    **{name: factors.COLUMNS[name] for name in SIZES},
    "studies": ("", "studies that ask for such a model"),
    "n_parameters": ("1", "parameters of the model"),
    "non_embedding": ("1", "those of them that are no embedding of a token or of a position"),
    "cell": ("", "id of the cell that most studies ask for"),
    "batch_size": factors.COLUMNS["batch_size"],
    "flops_per_step": ("FLOP", "least floating-point operations of a training step of that cell"),
    "reported_parameters": ("1", "parameters by the report; missing if it gives no number"),
    "reported_non_embedding": ("1", "parameters without embeddings by Power et al. (2022); missing if not theirs"),
    "reported": ("", "what the reports say, in words; empty if nothing"),
}


def build(cells: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """A row a model and modulus, in the order of `designs`."""
    asked = designs[(designs["report"] != "000") | (designs["study"] == "against_transformer")]
    studies = asked.drop_duplicates(["study", "cell"]).groupby("cell", sort=False)["study"].agg(list)
    sized = studies.rename("studies").reset_index().merge(cells, on="cell")
    rows = [_row(group) for _, group in sized.groupby(SIZES, sort=False, dropna=False)]
    return summary.table(rows, COLUMNS)


def embeddings(cell: pd.Series) -> int:
    """Parameters that embed tokens and positions: a table for either operand of the MLP of report 000, one for both in
    that of report 002; for sequences, residues with operator and "=", and a vector for each of 2 K positions."""
    tables = {"mlp": 2, "shared_mlp": 1}
    if cell["architecture"] in tables:
        return tables[cell["architecture"]] * cell["modulus"] * cell["embedding"]
    return (cell["modulus"] + 2 + 2 * cell["terms"]) * cell["width"]


def _row(cells: pd.DataFrame) -> dict:
    most = cells["studies"].str.len()
    cell = cells[most == most.max()].sort_values("cell").iloc[0]
    studies = list(dict.fromkeys(name for names in cells["studies"] for name in names))
    stated = _reported(cell["architecture"]) if "against_transformer" in studies else {}
    return {
        **cell[[*SIZES, "cell", "batch_size", "flops_per_step", "n_parameters"]],
        "studies": ", ".join(studies),
        "non_embedding": cell["n_parameters"] - embeddings(cell),
        "reported_parameters": stated.get("parameters", np.nan),
        "reported_non_embedding": stated.get("non_embedding", np.nan),
        "reported": stated.get("text", ""),
    }


def _reported(architecture: str) -> dict:
    if architecture == "mlp":
        return {"parameters": reported.PARAMETERS, "text": "about 65 000 (report 000)"}
    words = f"{reported.TRANSFORMER_SIZE} (report 000); about 400 000 without embeddings (Power et al.)"
    return {"non_embedding": TRANSFORMER_PARAMETERS, "text": words}
