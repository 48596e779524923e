"""Floor 1. A cell: everything that determines a trajectory, seeds aside.

Its identity is the canonical JSON of these settings, so a field added here gives every cell a new id
and orphans its records: add settings of a new model or optimiser as a class of their own.
"""

import hashlib
import itertools
import json
import re
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .tasks import formulas
from .tasks.modular import OPERATIONS, is_prime
from .tasks.split import evaluated_sizes, train_size


def _no_boolean(value: Any) -> Any:
    """Python counts true and false as 1 and 0; in a config they are a slip."""
    if isinstance(value, bool):
        raise PydanticCustomError("no_number", "must be a number")
    return value


NUMBER = BeforeValidator(_no_boolean)  # stands last, or pydantic leaves the bounds out of the JSON schema
Positive = Annotated[int, Field(ge=1), NUMBER]
NotNegative = Annotated[int, Field(ge=0), NUMBER]
Rate = Annotated[float, Field(gt=0), NUMBER]
Decay = Annotated[float, Field(ge=0), NUMBER]
Beta = Annotated[float, Field(ge=0, lt=1), NUMBER]


LARGEST_TASK = 2**25  # examples, whose random order takes 256 MB


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Modular(Settings):
    """x op y modulo a number."""

    family: ClassVar[str] = "modular"  # the file in tasks/

    operation: Literal[tuple(OPERATIONS)] = Field(description="How x and y are combined.")
    modulus: Annotated[int, Field(ge=2), NUMBER] = Field(description="Number of residues; prime for division.")

    @model_validator(mode="after")
    def invertible(self):
        if OPERATIONS[self.operation].inverts and not is_prime(self.modulus):
            raise ValueError(f"'{self.operation}' needs a prime modulus, and {self.modulus} is not prime")
        return self

    terms: ClassVar[int] = 2

    @property
    def examples(self) -> int:
        return self.modulus * (self.modulus - OPERATIONS[self.operation].inverts)

    @property
    def slug(self) -> str:
        return f"{self.operation}{self.modulus}"

    @property
    def named(self) -> str:
        """The operation as tables have it."""
        return self.operation

    @property
    def chance(self) -> float:
        """Accuracy of always giving the most frequent answer, or one of equally frequent ones."""
        return 1 / self.modulus


class Formula(Settings):
    """Any formula in x and y modulo a number; in config.yaml its text stands as the operation."""

    family: ClassVar[str] = "formulas"
    terms: ClassVar[int] = 2

    operation: Annotated[
        Literal["formula"], WithJsonSchema({"type": "string", "description": "The text of a formula in x and y."})
    ]
    formula: str = Field(description="A polynomial or quotient in x and y, or one of two by a condition.")
    modulus: Annotated[int, Field(ge=2, le=1000), NUMBER] = Field(description="Number of residues; prime for division.")

    @model_validator(mode="before")
    @classmethod
    def in_one_way(cls, values: Any) -> Any:
        text = values.get("formula") if isinstance(values, dict) else None
        return values | {"formula": formulas.normal(text)} if isinstance(text, str) else values

    @model_validator(mode="after")
    def defined(self):
        self.table()
        return self

    def table(self):
        return formulas.table(self.operation, self.formula, self.modulus)

    @property
    def examples(self) -> int:
        return len(self.table())

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "_", self.formula).strip("_")[:24].strip("_") + f"_{self.modulus}"

    @property
    def named(self) -> str:
        return self.formula

    @property
    def chance(self) -> float:
        return float(self.table().shares().max())


def _formula(task: Any) -> Any:
    """A task whose operation is the text of a formula, as one whose operation is "formula"."""
    if not isinstance(task, dict) or not isinstance(task.get("operation"), str) or task["operation"] == "formula":
        return task
    rest = {key: value for key, value in task.items() if key != "formula"}  # of a base that has a formula
    if re.fullmatch(r"[\w ]*", task["operation"]) and task["operation"].strip() not in ("x", "y"):
        return rest
    return rest | {"operation": "formula", "formula": task["operation"]}


class Sum(Settings):
    """The sum of several terms modulo a number (report 001, section 5); of two it is 'add'."""

    family: ClassVar[str] = "sums"

    operation: Literal["sum"]
    modulus: Annotated[int, Field(ge=2), NUMBER] = Field(description="Number of residues.")
    terms: Annotated[int, Field(ge=3), NUMBER] = Field(description="Number of terms; of two it is 'add'.")

    @model_validator(mode="after")
    def indexable(self):
        if self.examples > LARGEST_TASK:
            size = f"{self.terms} terms modulo {self.modulus} are {self.examples} examples"
            raise ValueError(f"{size}; at most {LARGEST_TASK} can be put into a random order in memory")
        return self

    @property
    def examples(self) -> int:
        return self.modulus**self.terms

    @property
    def slug(self) -> str:
        return f"sum{self.modulus}x{self.terms}"

    @property
    def named(self) -> str:
        return self.operation

    @property
    def chance(self) -> float:
        return 1 / self.modulus


class Split(Settings):
    """Which examples are trained on; the rest is validation."""

    fraction: Annotated[float, Field(gt=0, lt=1), NUMBER] = Field(description="Share of the examples trained on.")
    pairs: Literal["ordered", "unordered"] = Field(
        description="'unordered' keeps (x, y) and its mirror (y, x) on the same side."
    )


class MLP(Settings):
    """Embeddings of x and y, concatenated, through hidden ReLU layers (report 000, section 2.1)."""

    architecture: Literal["mlp"]
    embedding: Positive = Field(description="Width of each operand's embedding.")
    hidden: Positive = Field(description="Width of each hidden layer.")
    layers: Positive = Field(description="Number of hidden layers.")
    embedding_std: Rate = Field(description="Standard deviation of initial embeddings.")

    def parameters(self, tokens: int, classes: int, terms: int = 2) -> int:
        """Number of trainable parameters."""
        widths = [2 * self.embedding, *[self.hidden] * self.layers, classes]
        return 2 * tokens * self.embedding + sum((i + 1) * o for i, o in itertools.pairwise(widths))

    def forward_flops(self, tokens: int, classes: int, examples: int, terms: int = 2, training: bool = False) -> int:
        """Least floating-point operations (a multiply-add counts two) of a forward pass over `examples` pairs: the
        first layer is linear in each embedding and costs its product once a token, the others once an example."""
        widths = [*[self.hidden] * self.layers, classes]
        products = sum(i * o for i, o in itertools.pairwise(widths))
        return 2 * (2 * tokens * self.embedding * self.hidden + examples * products)


class SharedMLP(MLP):
    """As MLP, with one table of embeddings for both operands (report 002, "Simple Grokking")."""

    architecture: Literal["shared_mlp"]

    def parameters(self, tokens: int, classes: int, terms: int = 2) -> int:
        """Number of trainable parameters."""
        return super().parameters(tokens, classes) - tokens * self.embedding


Dropout = Annotated[float, Field(ge=0, lt=1), NUMBER]


class Sequence(Settings):
    """What models of the sequence x1 op x2 ... op xK = share (report 001, section 1 and appendix A)."""

    dropout: Dropout = Field(description="Share of units dropped at each site, in training alone.")

    def rows(self, tokens: int, examples: int, terms: int, training: bool) -> int:
        """Positions that are computed apart: x1 and the operator after it once a token, unless dropout makes every
        example another, and every later position once an example."""
        shared = 0 if training and self.dropout else 2
        return shared * tokens + (2 * terms - shared) * examples


class Transformer(Sequence):
    """The decoder Transformer (report 001, appendix A). Dropout on the output of attention and of the network."""

    architecture: Literal["transformer"]
    width: Positive = Field(description="Width of the residual stream.")
    layers: Positive = Field(description="Number of blocks.")
    heads: Positive = Field(description="Number of attention heads; divides the width.")
    norm: Literal["pre", "post"] = Field(description="Layer normalisation before each sublayer, or after each sum.")

    @model_validator(mode="after")
    def heads_divide(self):
        if self.width % self.heads:
            raise ValueError(f"heads must divide the width, and {self.heads} does not divide {self.width}")
        return self

    def parameters(self, tokens: int, classes: int, terms: int = 2) -> int:
        """Number of trainable parameters."""
        d = self.width
        block = (d + 1) * 3 * d + (d + 1) * d + (d + 1) * 4 * d + (4 * d + 1) * d + 2 * 2 * d
        last = 2 * d if self.norm == "pre" else 0
        return (tokens + 2 + 2 * terms) * d + self.layers * block + last + (d + 1) * (classes + 2)

    def forward_flops(self, tokens: int, classes: int, examples: int, terms: int = 2, training: bool = False) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        sequences. Queries, keys and values of the first block cost once a token at a position, everything later once
        a row (see `rows`); the last block needs keys and values of all, the rest of the last "=" alone."""
        rows, square = self.rows(tokens, examples, terms, training), self.width**2
        first = 3 * terms * (tokens + 1)
        attention = first + (self.layers - 2) * 3 * rows + 2 * rows + examples if self.layers > 1 else first
        network = 9 * ((self.layers - 1) * rows + examples)
        return 2 * (square * (attention + network) + examples * self.width * (classes + 2))


class TiedTransformer(Transformer):
    """As Transformer, read out by the embeddings of the residues instead of a layer of its own, without a bias: a logit
    is the product of a residue's embedding with the last state (report 003; Notsawo et al. 2023, section 2.2)."""

    architecture: Literal["tied_transformer"]
    embedding_std: Rate = Field(description="Standard deviation of initial embeddings.")

    def parameters(self, tokens: int, classes: int, terms: int = 2) -> int:
        """Number of trainable parameters."""
        return super().parameters(tokens, classes, terms) - (self.width + 1) * (classes + 2)

    def forward_flops(self, tokens: int, classes: int, examples: int, terms: int = 2, training: bool = False) -> int:
        """Least floating-point operations: those of a Transformer, with a logit for each residue alone."""
        return super().forward_flops(tokens, classes - 2, examples, terms, training)


class ResidualMLP(Sequence):
    """Residual blocks on the embedded sequence (report 001, appendix B). Dropout on the input of each block's network.

    As the report has it, blocks act on each position by itself, so that none would see both operands.
    """

    architecture: Literal["residual_mlp"]
    width: Positive = Field(description="Width of the embeddings.")
    layers: Positive = Field(description="Number of blocks.")
    hidden: Positive = Field(description="Width between the two linear layers of a block.")
    positions: Literal["flatten", "sum"] = Field(description="How the positions become one vector before the blocks.")

    def stream(self, terms: int) -> int:
        """Width of the residual stream."""
        return self.width * (2 * terms if self.positions == "flatten" else 1)

    def parameters(self, tokens: int, classes: int, terms: int = 2) -> int:
        """Number of trainable parameters."""
        d = self.stream(terms)
        block = (d + 1) * self.hidden + (self.hidden + 1) * d + 2 * d
        return (tokens + 2 + 2 * terms) * self.width + self.layers * block + (d + 1) * (classes + 2)

    def forward_flops(self, tokens: int, classes: int, examples: int, terms: int = 2, training: bool = False) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        sequences; the first layer is linear in each embedding and could cost its product once a token at a position."""
        d = self.stream(terms)
        first = examples * d if training and self.dropout else terms * (tokens + 1) * self.width
        rest = (2 * self.layers - 1) * examples * d
        return 2 * (self.hidden * (first + rest) + examples * d * (classes + 2))


class LSTM(Sequence):
    """Stacked LSTM layers (report 001, appendix B). Dropout on the output of every layer but the last, as nn.LSTM's."""

    architecture: Literal["lstm"]
    width: Positive = Field(description="Width of the embeddings.")
    hidden: Positive = Field(description="Width of each layer.")
    layers: Positive = Field(description="Number of layers.")

    def parameters(self, tokens: int, classes: int, terms: int = 2) -> int:
        """Number of trainable parameters."""
        inputs = [self.width, *[self.hidden] * (self.layers - 1)]
        layers = sum(4 * self.hidden * (width + self.hidden + 2) for width in inputs)
        return (tokens + 2 + 2 * terms) * self.width + layers + (self.hidden + 1) * (classes + 2)

    def forward_flops(self, tokens: int, classes: int, examples: int, terms: int = 2, training: bool = False) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        sequences: the first layer's inputs once a token at a position, all else once a row (see `rows`); the states
        after the last "=" go nowhere but to the answer."""
        seen = self.rows(tokens, examples, terms, training)
        inputs = terms * (tokens + 1) * self.width + (self.layers - 1) * seen * self.hidden
        gates = 4 * self.hidden * (inputs + self.layers * (seen - examples) * self.hidden)
        return 2 * (gates + examples * self.hidden * (classes + 2))


class Adam(Settings):
    """Adam. 'adamw' decouples weight decay; 'adam' adds it to the gradient (L2)."""

    name: Literal["adamw", "adam"]
    learning_rate: Rate
    weight_decay: Decay
    beta1: Beta
    beta2: Beta
    epsilon: Rate
    decays: Literal["all", "no_biases", "no_embeddings"] = Field(description="Parameters under weight decay.")


class SGD(Settings):
    """Gradient descent with momentum; weight decay is added to the gradient (L2)."""

    name: Literal["sgd"]
    learning_rate: Rate
    weight_decay: Decay
    momentum: Beta
    decays: Literal["all", "no_biases", "no_embeddings"] = Field(description="Parameters under weight decay.")


class RMSprop(Settings):
    """RMSprop, not centred; weight decay is added to the gradient (L2)."""

    name: Literal["rmsprop"]
    learning_rate: Rate
    weight_decay: Decay
    momentum: Beta
    alpha: Beta = Field(description="Decay of the mean square of the gradient.")
    epsilon: Rate
    decays: Literal["all", "no_biases", "no_embeddings"] = Field(description="Parameters under weight decay.")


class Constant(Settings):
    """Linear warm-up, then a constant learning rate."""

    shape: Literal["constant"]
    warmup: NotNegative = Field(description="Steps of linear warm-up.")


class Cosine(Settings):
    """Linear warm-up, then half a cosine down to zero at `horizon` steps."""

    shape: Literal["cosine"]
    warmup: NotNegative = Field(description="Steps of linear warm-up.")
    horizon: Positive = Field(description="Step at which the learning rate reaches zero.")


class Staircase(Settings):
    """Linear warm-up, then the learning rate times `factor` after every `every` steps."""

    shape: Literal["staircase"]
    warmup: NotNegative = Field(description="Steps of linear warm-up.")
    factor: Annotated[float, Field(gt=0, le=1), NUMBER]
    every: Positive


def _one_error(value: Any, validate: Any) -> Any:
    """Of a union, pydantic reports what is wrong by each of its variants."""
    try:
        return validate(value)
    except ValidationError:
        raise PydanticCustomError("no_variant", "must be of one of several kinds") from None


Size = Annotated[Positive | Literal["full"], WrapValidator(_one_error)]


class Batches(Settings):
    """How minibatches are drawn from the training set."""

    size: Size = Field(description="Examples of a batch; 'full': the training set, whatever its size.")
    order: Literal["shuffled", "replacement"] = Field(description="Epoch-wise without replacement, or with.")
    last: Literal["keep", "drop"] = Field(description="What becomes of the short batch that ends an epoch.")

    @model_validator(mode="after")
    def full_is_all(self):
        if self.size == "full" and self.order == "replacement":
            raise ValueError("batches.order must be 'shuffled' where batches.size is 'full', not 'replacement'")
        return self

    def examples(self, train: int) -> int:
        """Examples of a batch out of `train` training examples."""
        return train if self.size == "full" else self.size


class Loss(Settings):
    """Mean cross-entropy over the batch."""

    precision: Literal["float32", "float64"] = Field(description="Of the log-softmax and its gradient.")


class Cell(Settings):
    """One point of a grid. Two cells with equal settings are the same cell."""

    task: Annotated[Modular | Sum | Formula, Field(discriminator="operation"), BeforeValidator(_formula)]
    split: Split
    model: Annotated[
        MLP | SharedMLP | Transformer | TiedTransformer | ResidualMLP | LSTM, Field(discriminator="architecture")
    ]
    optimizer: Annotated[Adam | SGD | RMSprop, Field(discriminator="name")]
    schedule: Annotated[Constant | Cosine | Staircase, Field(discriminator="shape")]
    batches: Batches
    loss: Loss

    @model_validator(mode="after")
    def batch_fits(self):
        if self.batch_size > self.train_examples:
            raise ValueError(
                f"batches.size must be at most {self.train_examples}, the training set (fraction "
                f"{self.split.fraction:g} of {self.task.examples} examples), not {self.batch_size}"
            )
        return self

    @model_validator(mode="after")
    def two_operands(self):
        if self.task.terms > 2 and isinstance(self.model, MLP):
            raise ValueError(
                f"the model '{self.model.architecture}' takes two operands, and the task has {self.task.terms}"
            )
        if self.task.terms > 2 and self.split.pairs == "unordered":
            raise ValueError(f"split.pairs must be 'ordered' for {self.task.terms} operands, not 'unordered'")
        return self

    @property
    def train_examples(self) -> int:
        return train_size(self.task.examples, self.split.fraction)

    @property
    def batch_size(self) -> int:
        """Examples of a batch, but of the short one that may end an epoch."""
        return self.batches.examples(self.train_examples)

    @property
    def steps_per_epoch(self) -> int:
        """Optimisation steps in which the training set, or as many examples, is seen once."""
        full, rest = divmod(self.train_examples, self.batch_size)
        return full + (rest > 0 and self.batches.last == "keep")

    @property
    def parameters(self) -> int:
        """Number of trainable parameters of a member."""
        return self.model.parameters(self.task.modulus, self.task.modulus, self.task.terms)

    @property
    def flops_per_step(self) -> float:
        """Least floating-point operations of a member's training step, on the mean over an epoch, whose last batch may
        be short: the backward pass costs two forward passes."""
        full, rest = divmod(self.train_examples, self.batch_size)
        sizes = {self.batch_size: full} | ({rest: 1} if rest and self.batches.last == "keep" else {})
        total = sum(times * self.forward_flops(size, training=True) for size, times in sizes.items())
        return 3 * total / self.steps_per_epoch

    def forward_flops(self, examples: int, training: bool = False) -> int:
        """Least floating-point operations of a forward pass over `examples` examples."""
        return self.model.forward_flops(self.task.modulus, self.task.modulus, examples, self.task.terms, training)

    @property
    def flops_per_evaluation(self) -> int:
        """Least floating-point operations of a member's evaluation."""
        return self.forward_flops(sum(evaluated_sizes(self.task.examples, self.train_examples)))

    @cached_property
    def id(self) -> str:
        """Readable slug and 8 hex digits of the digest of the canonical JSON."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return f"{self.slug}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"

    @property
    def slug(self) -> str:
        return (
            f"{self.task.slug}-f{self.split.fraction:g}-{self.model.architecture}"
            f"-{self.optimizer.name}-wd{self.optimizer.weight_decay:g}"
        )

    @property
    def factors(self) -> dict[str, Any]:
        """The settings as one flat row: {"split.fraction": 0.5, ...}."""
        return {f"{part}.{key}": value for part, block in self.model_dump().items() for key, value in block.items()}
