"""The settings of a cell as columns of tables."""

from ..cell import Cell

FACTORS = {  # column -> (setting, dtype, unit, meaning); Int64: a whole number that some cells do not have
    "operation": ("task.operation", "str", "", "what is done with the operands, by name or formula"),
    "modulus": ("task.modulus", "int64", "1", "number of residues, or of symbols that an operand may be"),
    "terms": ("task.terms", "int64", "1", "number of operands"),
    "fraction": ("split.fraction", "float64", "1", "share of the examples that is trained on"),
    "pairs": ("split.pairs", "str", "", "'unordered': (x, y) and its mirror are on the same side of the split"),
    "architecture": ("model.architecture", "str", "", "model"),
    "embedding": ("model.embedding", "Int64", "1", "width of an operand's embedding (mlp, shared_mlp)"),
    "width": ("model.width", "Int64", "1", "width of the embeddings of a sequence"),
    "hidden": ("model.hidden", "Int64", "1", "width of a hidden layer"),
    "layers": ("model.layers", "int64", "1", "number of hidden layers, or of blocks"),
    "heads": ("model.heads", "Int64", "1", "attention heads of a Transformer"),
    "norm": ("model.norm", "str", "", "layer normalisation of a Transformer: pre or post"),
    "positions": ("model.positions", "str", "", "how a residual MLP takes the positions: flatten or sum"),
    "dropout": ("model.dropout", "float64", "1", "share of units dropped in training"),
    "embedding_std": (
        "model.embedding_std",
        "float64",
        "1",
        "standard deviation of initial embeddings, where it is a setting",
    ),
    "optimizer": ("optimizer.name", "str", "", "adamw, or with L2 decay adam, sgd or rmsprop"),
    "learning_rate": ("optimizer.learning_rate", "float64", "1", "learning rate after the warm-up"),
    "weight_decay": ("optimizer.weight_decay", "float64", "1", "weight decay"),
    "beta1": ("optimizer.beta1", "float64", "1", "decay of Adam's first moment"),
    "beta2": ("optimizer.beta2", "float64", "1", "decay of Adam's second moment"),
    "epsilon": ("optimizer.epsilon", "float64", "1", "added to the denominator of Adam and RMSprop"),
    "momentum": ("optimizer.momentum", "float64", "1", "momentum of sgd and rmsprop"),
    "alpha": ("optimizer.alpha", "float64", "1", "decay of RMSprop's mean square"),
    "decays": ("optimizer.decays", "str", "", "parameters under weight decay"),
    "schedule": ("schedule.shape", "str", "", "learning rate after the warm-up"),
    "warmup": ("schedule.warmup", "int64", "steps", "length of the linear warm-up"),
    "horizon": ("schedule.horizon", "float64", "steps", "where a cosine schedule ends"),
    "factor": ("schedule.factor", "float64", "1", "what a staircase schedule multiplies the rate by"),
    "every": ("schedule.every", "float64", "steps", "length of a stair"),
    "batch_size": ("batches.size", "int64", "1", "examples a step"),
    "batch_order": ("batches.order", "str", "", "epoch-wise shuffled, or drawn with replacement"),
    "batch_last": ("batches.last", "str", "", "whether the short batch that ends an epoch is kept"),
    "loss_precision": ("loss.precision", "str", "", "floating-point type of the loss and its gradient"),
}
COLUMNS = {name: (unit, meaning) for name, (_, _, unit, meaning) in FACTORS.items()}


def of(cell: Cell) -> dict:
    """The FACTORS of a cell; None where it has no such setting. A full batch has the size of the training set."""
    settings = cell.factors | {
        "task.operation": cell.task.named,
        "task.modulus": cell.task.tokens,
        "task.terms": cell.task.terms,
        "batches.size": cell.batch_size,
    }
    return {name: settings.get(path) for name, (path, *_) in FACTORS.items()}
