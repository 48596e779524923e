"""Floor 1. A cell: everything that determines a trajectory, seeds aside.

Its identity is the canonical JSON of these settings, so a field added here gives every cell a new id
and orphans its records: add settings of a new model or optimiser as a class of their own.
"""

import hashlib
import importlib
import itertools
import json
import re
from functools import cached_property
from typing import Annotated, Any, Literal, Union

from pydantic import BeforeValidator, Field, ValidationError, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from . import sources
from .tasks.settings import NUMBER, Beta, Decay, NotNegative, Positive, Rate, Settings, Task
from .tasks.split import evaluated_sizes, train_size


def _tasks() -> list[type[Task]]:
    """The tasks that the files in tasks/ define, told apart by `operation`."""
    found = [importlib.import_module(name) for name in sources.modules(f"{sources.PACKAGE}.tasks")]
    kinds = [(module, kind) for module in found for kind in vars(module).values() if isinstance(kind, type)]
    return [
        kind
        for module, kind in kinds
        if issubclass(kind, Task) and kind.__module__ == module.__name__ and "operation" in kind.model_fields
    ]


def _by_text(task: Any) -> Any:
    """A task whose operation is the text of a formula, or of a word where a group is given, as one whose operation is
    "formula" or "word"."""
    if not isinstance(task, dict) or not isinstance(text := task.get("operation"), str) or text in ("formula", "word"):
        return task
    rest = {key: value for key, value in task.items() if key not in ("formula", "word")}  # of a base that has one
    if "group" in rest:
        return rest | {"operation": "word", "word": text}
    if re.fullmatch(r"[\w ]*", text) and text.strip() not in ("x", "y"):
        return rest
    return rest | {"operation": "formula", "formula": text}


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

    def parameters(self, tokens: int, classes: int, terms: int = 2, places: int = 1) -> int:
        """Number of trainable parameters."""
        widths = [2 * self.embedding, *[self.hidden] * self.layers, classes]
        return 2 * tokens * self.embedding + sum((i + 1) * o for i, o in itertools.pairwise(widths))

    def forward_flops(
        self, tokens: int, classes: int, examples: int, terms: int = 2, places: int = 1, training: bool = False
    ) -> int:
        """Least floating-point operations (a multiply-add counts two) of a forward pass over `examples` pairs: the
        first layer is linear in each embedding and costs its product once a token, the others once an example."""
        widths = [*[self.hidden] * self.layers, classes]
        products = sum(i * o for i, o in itertools.pairwise(widths))
        return 2 * (2 * tokens * self.embedding * self.hidden + examples * products)


class SharedMLP(MLP):
    """As MLP, with one table of embeddings for both operands (report 002, "Simple Grokking")."""

    architecture: Literal["shared_mlp"]

    def parameters(self, tokens: int, classes: int, terms: int = 2, places: int = 1) -> int:
        """Number of trainable parameters."""
        return super().parameters(tokens, classes) - tokens * self.embedding


class SequenceMLP(Settings):
    """As MLP, for any number of terms, each with a table of embeddings of its own."""

    architecture: Literal["sequence_mlp"]
    embedding: Positive = Field(description="Width of each term's embedding.")
    hidden: Positive = Field(description="Width of each hidden layer.")
    layers: Positive = Field(description="Number of hidden layers.")
    embedding_std: Rate = Field(description="Standard deviation of initial embeddings.")

    def parameters(self, tokens: int, classes: int, terms: int = 2, places: int = 1) -> int:
        """Number of trainable parameters."""
        widths = [terms * self.embedding, *[self.hidden] * self.layers, places * classes]
        return terms * tokens * self.embedding + sum((i + 1) * o for i, o in itertools.pairwise(widths))

    def forward_flops(
        self, tokens: int, classes: int, examples: int, terms: int = 2, places: int = 1, training: bool = False
    ) -> int:
        """Least floating-point operations of a forward pass, as an MLP's."""
        widths = [*[self.hidden] * self.layers, places * classes]
        products = sum(i * o for i, o in itertools.pairwise(widths))
        return 2 * (terms * tokens * self.embedding * self.hidden + examples * products)


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

    def parameters(self, tokens: int, classes: int, terms: int = 2, places: int = 1) -> int:
        """Number of trainable parameters."""
        d = self.width
        block = (d + 1) * 3 * d + (d + 1) * d + (d + 1) * 4 * d + (4 * d + 1) * d + 2 * 2 * d
        last = 2 * d if self.norm == "pre" else 0
        return (tokens + 2 + 2 * terms) * d + self.layers * block + last + (d + 1) * places * (classes + 2)

    def forward_flops(
        self, tokens: int, classes: int, examples: int, terms: int = 2, places: int = 1, training: bool = False
    ) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        sequences. Queries, keys and values of the first block cost once a token at a position, everything later once
        a row (see `rows`); the last block needs keys and values of all, the rest of the last "=" alone."""
        rows, square = self.rows(tokens, examples, terms, training), self.width**2
        first = 3 * terms * (tokens + 1)
        attention = first + (self.layers - 2) * 3 * rows + 2 * rows + examples if self.layers > 1 else first
        network = 9 * ((self.layers - 1) * rows + examples)
        return 2 * (square * (attention + network) + examples * self.width * places * (classes + 2))


class TiedTransformer(Transformer):
    """As Transformer, read out by the embeddings of the residues instead of a layer of its own, without a bias: a logit
    is the product of a residue's embedding with the last state (report 003; Notsawo et al. 2023, section 2.2)."""

    architecture: Literal["tied_transformer"]
    embedding_std: Rate = Field(description="Standard deviation of initial embeddings.")

    def parameters(self, tokens: int, classes: int, terms: int = 2, places: int = 1) -> int:
        """Number of trainable parameters."""
        return super().parameters(tokens, classes, terms) - (self.width + 1) * (classes + 2)

    def forward_flops(
        self, tokens: int, classes: int, examples: int, terms: int = 2, places: int = 1, training: bool = False
    ) -> int:
        """Least floating-point operations: those of a Transformer, with a logit for each residue alone."""
        return super().forward_flops(tokens, classes - 2, examples, terms, training=training)


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

    def parameters(self, tokens: int, classes: int, terms: int = 2, places: int = 1) -> int:
        """Number of trainable parameters."""
        d = self.stream(terms)
        block = (d + 1) * self.hidden + (self.hidden + 1) * d + 2 * d
        return (tokens + 2 + 2 * terms) * self.width + self.layers * block + (d + 1) * places * (classes + 2)

    def forward_flops(
        self, tokens: int, classes: int, examples: int, terms: int = 2, places: int = 1, training: bool = False
    ) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        sequences; the first layer is linear in each embedding and could cost its product once a token at a position."""
        d = self.stream(terms)
        first = examples * d if training and self.dropout else terms * (tokens + 1) * self.width
        rest = (2 * self.layers - 1) * examples * d
        return 2 * (self.hidden * (first + rest) + examples * d * places * (classes + 2))


class LSTM(Sequence):
    """Stacked LSTM layers (report 001, appendix B). Dropout on the output of every layer but the last, as nn.LSTM's."""

    architecture: Literal["lstm"]
    width: Positive = Field(description="Width of the embeddings.")
    hidden: Positive = Field(description="Width of each layer.")
    layers: Positive = Field(description="Number of layers.")

    def parameters(self, tokens: int, classes: int, terms: int = 2, places: int = 1) -> int:
        """Number of trainable parameters."""
        inputs = [self.width, *[self.hidden] * (self.layers - 1)]
        layers = sum(4 * self.hidden * (width + self.hidden + 2) for width in inputs)
        return (tokens + 2 + 2 * terms) * self.width + layers + (self.hidden + 1) * places * (classes + 2)

    def forward_flops(
        self, tokens: int, classes: int, examples: int, terms: int = 2, places: int = 1, training: bool = False
    ) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        sequences: the first layer's inputs once a token at a position, all else once a row (see `rows`); the states
        after the last "=" go nowhere but to the answer."""
        seen = self.rows(tokens, examples, terms, training)
        inputs = terms * (tokens + 1) * self.width + (self.layers - 1) * seen * self.hidden
        gates = 4 * self.hidden * (inputs + self.layers * (seen - examples) * self.hidden)
        return 2 * (gates + examples * self.hidden * places * (classes + 2))


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

    task: Annotated[Union[*_tasks()], Field(discriminator="operation"), BeforeValidator(_by_text)]
    split: Split
    model: Annotated[
        MLP | SharedMLP | SequenceMLP | Transformer | TiedTransformer | ResidualMLP | LSTM,
        Field(discriminator="architecture"),
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
    def suits_the_model(self):
        if self.task.terms > 2 and isinstance(self.model, MLP):
            raise ValueError(
                f"the model '{self.model.architecture}' takes two operands, and the task has {self.task.terms}"
            )
        if self.task.terms > 2 and self.split.pairs == "unordered":
            raise ValueError(f"split.pairs must be 'ordered' for {self.task.terms} operands, not 'unordered'")
        if self.task.places > 1 and isinstance(self.model, TiedTransformer):
            raise ValueError(
                f"the model '{self.model.architecture}' answers with one symbol, and the task has {self.task.places}"
            )
        return self

    @property
    def shape(self) -> dict[str, int]:
        """Sizes of the task, as models take them."""
        return {name: getattr(self.task, name) for name in ("tokens", "classes", "terms", "places")}

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
        return self.model.parameters(**self.shape)

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
        return self.model.forward_flops(examples=examples, training=training, **self.shape)

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
