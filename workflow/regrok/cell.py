"""Floor 1. A cell: everything that determines a trajectory, seeds aside.

Its identity is the canonical JSON of these settings, so a field added here gives every cell a new id
and orphans its records: add settings of a new model or optimiser as a class of their own.
"""

import hashlib
import itertools
import json
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from .tasks.modular import OPERATIONS, is_prime
from .tasks.split import train_size


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

    @property
    def examples(self) -> int:
        return self.modulus * (self.modulus - OPERATIONS[self.operation].inverts)


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

    def parameters(self, tokens: int, classes: int) -> int:
        """Number of trainable parameters."""
        widths = [2 * self.embedding, *[self.hidden] * self.layers, classes]
        return 2 * tokens * self.embedding + sum((i + 1) * o for i, o in itertools.pairwise(widths))

    def forward_flops(self, tokens: int, classes: int, examples: int) -> int:
        """Least floating-point operations (a multiply-add counts two) of a forward pass over `examples` pairs: the
        first layer is linear in each embedding and costs its product once a token, the others once an example."""
        widths = [*[self.hidden] * self.layers, classes]
        products = sum(i * o for i, o in itertools.pairwise(widths))
        return 2 * (2 * tokens * self.embedding * self.hidden + examples * products)


class Transformer(Settings):
    """The decoder Transformer on x op y = (report 001, appendix A)."""

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

    def parameters(self, tokens: int, classes: int) -> int:
        """Number of trainable parameters."""
        d = self.width
        block = (d + 1) * 3 * d + (d + 1) * d + (d + 1) * 4 * d + (4 * d + 1) * d + 2 * 2 * d
        return (tokens + 2 + 4) * d + self.layers * block + 2 * d + (d + 1) * (classes + 2)

    def forward_flops(self, tokens: int, classes: int, examples: int) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        pairs. Queries, keys and values of the first block cost once a token at a position; x and the operator once a
        token in all blocks, y and "=" once an example; the last block needs keys and values of all, the rest of "="."""
        rows, square = 2 * (tokens + examples), self.width**2
        first, rest = 3 * (2 * tokens + 2), 3 * rows
        last = 2 * rows + examples if self.layers > 1 else first
        attention = first + (self.layers - 2) * rest + last if self.layers > 1 else first
        network = 9 * ((self.layers - 1) * rows + examples)
        return 2 * (square * (attention + network) + examples * self.width * (classes + 2))


class LSTM(Settings):
    """Stacked LSTM layers on x op y = (report 001, appendix B)."""

    architecture: Literal["lstm"]
    width: Positive = Field(description="Width of the embeddings.")
    hidden: Positive = Field(description="Width of each layer.")
    layers: Positive = Field(description="Number of layers.")

    def parameters(self, tokens: int, classes: int) -> int:
        """Number of trainable parameters."""
        inputs = [self.width, *[self.hidden] * (self.layers - 1)]
        layers = sum(4 * self.hidden * (width + self.hidden + 2) for width in inputs)
        return (tokens + 2 + 4) * self.width + layers + (self.hidden + 1) * (classes + 2)

    def forward_flops(self, tokens: int, classes: int, examples: int) -> int:
        """Least floating-point operations (a multiply-add counts two) of the products of a forward pass over `examples`
        pairs: x and the operator are seen once a token, y and "=" once an example, and the first layer's inputs once a
        token at a position; the states after the last "=" go nowhere but to the answer."""
        seen, states = 2 * (tokens + examples), 2 * tokens + examples
        inputs = (2 * tokens + 2) * self.width + (self.layers - 1) * seen * self.hidden
        gates = 4 * self.hidden * (inputs + self.layers * states * self.hidden)
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


class Batches(Settings):
    """How minibatches are drawn from the training set."""

    size: Positive
    order: Literal["shuffled", "replacement"] = Field(description="Epoch-wise without replacement, or with.")
    last: Literal["keep", "drop"] = Field(description="What becomes of the short batch that ends an epoch.")


class Loss(Settings):
    """Mean cross-entropy over the batch."""

    precision: Literal["float32", "float64"] = Field(description="Of the log-softmax and its gradient.")


class Cell(Settings):
    """One point of a grid. Two cells with equal settings are the same cell."""

    task: Modular
    split: Split
    model: Annotated[MLP | Transformer | LSTM, Field(discriminator="architecture")]
    optimizer: Annotated[Adam | SGD, Field(discriminator="name")]
    schedule: Annotated[Constant | Cosine | Staircase, Field(discriminator="shape")]
    batches: Batches
    loss: Loss

    @model_validator(mode="after")
    def batch_fits(self):
        if self.batches.size > self.train_examples:
            raise ValueError(
                f"batches.size must be at most {self.train_examples}, the training set (fraction "
                f"{self.split.fraction:g} of {self.task.examples} examples), not {self.batches.size}"
            )
        return self

    @property
    def train_examples(self) -> int:
        return train_size(self.task.examples, self.split.fraction)

    @property
    def parameters(self) -> int:
        """Number of trainable parameters of a member."""
        return self.model.parameters(self.task.modulus, self.task.modulus)

    @property
    def flops_per_step(self) -> float:
        """Least floating-point operations of a member's training step, on the mean over an epoch, whose last batch may
        be short: the backward pass costs two forward passes."""
        full, rest = divmod(self.train_examples, self.batches.size)
        sizes = [self.batches.size] * full + [rest] * (rest > 0 and self.batches.last == "keep")
        passes = [self.model.forward_flops(self.task.modulus, self.task.modulus, size) for size in sizes]
        return 3 * sum(passes) / len(passes)

    @property
    def flops_per_evaluation(self) -> int:
        """Least floating-point operations of a member's evaluation on all examples of the task."""
        return self.model.forward_flops(self.task.modulus, self.task.modulus, self.task.examples)

    @cached_property
    def id(self) -> str:
        """Readable slug and 8 hex digits of the digest of the canonical JSON."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return f"{self.slug}-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"

    @property
    def slug(self) -> str:
        return (
            f"{self.task.operation}{self.task.modulus}-f{self.split.fraction:g}-{self.model.architecture}"
            f"-{self.optimizer.name}-wd{self.optimizer.weight_decay:g}"
        )

    @property
    def factors(self) -> dict[str, Any]:
        """The settings as one flat row: {"split.fraction": 0.5, ...}."""
        return {f"{part}.{key}": value for part, block in self.model_dump().items() for key, value in block.items()}
