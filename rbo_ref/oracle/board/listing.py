"""The rows of the board: which optimizers of which libraries claim to be one of the oracle's, and how each is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ROWS", "Row"]

TORCH, OPTAX = "rbo_ref.oracle:TorchPort", "rbo_ref.oracle:OptaxPort"
FOREIGN, AUTHORS = "rbo_ref.oracle.board.foreign", "rbo_ref.oracle.board.authors"
KERAS, SKLEARN = f"{FOREIGN}:KerasPort", f"{FOREIGN}:SklearnPort"
EXAMPLE, AUTOGRAD = f"{FOREIGN}:ExamplePort", f"{FOREIGN}:AutogradPort"
EAGER, GROUPED = f"{FOREIGN}:eager_heavyball", f"{FOREIGN}:grouped_muon"
X64 = {"JAX_ENABLE_X64": "1"}
ON_TORCH = {"KERAS_BACKEND": "torch"}
DOUBLE = ("float64",)
TWO = ("float64", "float32")
FLOATS = ("float64", "float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Row:
    """An optimizer of a library, and what it claims to be.

    Attributes
    ----------
    library : str
        Its distribution, as package registries call it.
    name : str
        The optimizer, as its library calls it.
    optimizer : str
        What it is judged as, see `rbo_ref.oracle.OPTIMIZERS`.
    factory : str
        ``"module:attribute"`` of what the adapter is given.
    adapter : str
        ``"module:attribute"`` of what makes a port of that.
    settings : mapping
        Further arguments of the factory, which stay the same.
    dialect, inner_dtype, compute_dtype : str, optional
        As `rbo_ref.oracle.check` takes them.
    cases : tuple of str
        Patterns of the cases that it has the parameters for; none: all.
    dtypes : tuple of str
        The formats that it is made for.
    needs : tuple of str
        Further distributions that its arithmetic depends on.
    environment : mapping
        Variables that are set before anything is imported.
    variant : str
        The name of a difference that its documentation states: where the oracle finds this one, and it alone, the
        optimizer is another definition and no mistake.
    definition : str
        Another definition that its documentation states and the oracle does not have: where no mistake is found, there
        is no verdict.
    note : str
        What is known of its difference, from its source.

    Examples
    --------
    >>> Row("torch", "SGD", "gradient-descent", "torch.optim:SGD").dtypes
    ('float64',)
    """

    library: str
    name: str
    optimizer: str
    factory: str
    adapter: str = TORCH
    settings: Mapping[str, Any] = field(default_factory=dict)
    dialect: str | None = None
    cases: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = DOUBLE
    inner_dtype: str | None = None
    compute_dtype: str | None = None
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    variant: str = ""
    definition: str = ""
    note: str = ""


def _torch(name: str, optimizer: str, dtypes: tuple[str, ...] = FLOATS, **more: Any) -> Row:
    return Row("torch", name, optimizer, f"torch.optim:{name.partition(',')[0]}", dtypes=dtypes, **more)


def _optax(name: str, optimizer: str, dtypes: tuple[str, ...] = FLOATS, **more: Any) -> Row:
    module, _, attribute = f"optax.{name}".partition(",")[0].rpartition(".")
    made = {"factory": f"{module}:{attribute}", "adapter": OPTAX, "needs": ("jax", "jaxlib"), "environment": X64}
    return Row("optax", name, optimizer, dtypes=dtypes, **(made | more))


def _keras(name: str, optimizer: str, **more: Any) -> Row:
    made = {"factory": f"keras.optimizers:{name.partition(',')[0]}", "adapter": KERAS, "needs": ("torch",)}
    return Row("keras", name, optimizer, **(made | {"environment": ON_TORCH, "dtypes": TWO} | more))


def _collection(library: str, module: str, name: str, optimizer: str, **more: Any) -> Row:
    """One of a library that builds upon PyTorch."""
    made = {"factory": f"{module}:{name.partition(',')[0]}", "needs": ("torch",), "dtypes": TWO}
    return Row(library, name, optimizer, **(made | more))


def _mlx(name: str, optimizer: str, **more: Any) -> Row:
    made = {"factory": f"mlx.optimizers:{name.partition(',')[0]}", "adapter": f"{FOREIGN}:MlxPort"}
    return Row("mlx", name, optimizer, **(made | {"dtypes": ("float32",)} | more))


def _authors(name: str, optimizer: str, adapter: str, **more: Any) -> Row:
    needs, factory = ("flax", "jax", "jaxlib", "optax"), f"rolling_ball.optim:{name}"
    adapter = f"{AUTHORS}:{adapter}"
    return Row("rolling_ball", name, optimizer, factory, adapter, needs=needs, environment=X64, dtypes=TWO, **more)


def _example(name: str, optimizer: str, **more: Any) -> Row:
    factory = f"jax.example_libraries.optimizers:{name}"
    made = {"adapter": EXAMPLE, "needs": ("jaxlib",), "environment": X64, "dtypes": TWO}
    return Row("jax", f"example_libraries {name}", optimizer, factory, **(made | more))


HAT = "the largest v is corrected as Adam's v in TensorFlow's dialect: ε is added to √v before that"
NORM = "keras.ops.norm of a matrix is float32, whatever the matrix and floatx are"
PROJECTED = "of the step of a matrix it may leave out the part along the parameters, as its paper says"
PRODUCT = "the product of the μ is kept in PyTorch's default dtype, float32, whatever the parameters are in"
REFERENCES = (
    "nnx.state hands out references to the parameters from Flax 0.11 on, and copies before: so the descent starts "
    "where the ascent has led to, and not at θ"
)
MUON = ("usual-*", "plain-*", "short-*", "cubic-*", "row-*")  # all in which ε is 1e-7
UNMOVED = ("usual-*", "short-*", "epsilon-*")  # without momentum, and not centered
L2 = "the weight decay is an L2 penalty, as its documentation says"
UNCORRECTED = "bias_correction is off unless it is asked for, as its documentation says"
ROWS: tuple[Row, ...] = (
    Row("rbo-ref", "RollingBall", "rolling-ball", "rbo_ref.oracle.reference:rolling_ball", f"{FOREIGN}:itself"),
    _torch("SGD", "gradient-descent"),
    _torch("SGD, foreach", "gradient-descent", DOUBLE, settings={"foreach": True}),
    _torch("SGD, fused", "gradient-descent", DOUBLE, settings={"fused": True}),
    _torch("Adam", "adam"),
    _torch("Adam, foreach", "adam", DOUBLE, settings={"foreach": True}),
    _torch("Adam, fused", "adam", DOUBLE, settings={"fused": True}),
    _torch("Adam, decoupled", "adamw", DOUBLE, settings={"decoupled_weight_decay": True}),
    _torch("Adam, amsgrad", "adam", settings={"amsgrad": True}, dialect="amsgrad"),
    _torch("AdamW", "adamw"),
    _torch("AdamW, amsgrad", "adamw", DOUBLE, settings={"amsgrad": True}, dialect="amsgrad"),
    _torch("RMSprop", "rmsprop"),
    _torch("NAdam", "nadam", note=PRODUCT),
    _torch("Muon", "muon", TWO, inner_dtype="bfloat16"),
    _torch(
        "Muon, rms",
        "muon",
        DOUBLE,
        settings={"adjust_lr_fn": "match_rms_adamw"},
        dialect="match_rms_adamw",
        inner_dtype="bfloat16",
    ),
    _optax("sgd", "gradient-descent"),
    _optax("adam", "adam"),
    _optax("adamw", "adamw"),
    _optax("amsgrad", "adam", DOUBLE, dialect="amsgrad-optax"),
    _optax("rmsprop", "rmsprop", dialect="tensorflow"),
    _optax("rmsprop, ε outside", "rmsprop", DOUBLE, settings={"eps_in_sqrt": False}),
    _optax("nadam", "nadam", factory=f"{FOREIGN}:optax_nadam", dialect="optax"),
    _optax("lion", "lion"),
    _optax("contrib.muon", "muon", DOUBLE, dialect="optax"),
    _optax(
        "contrib.sam",
        "sam",
        TWO,
        factory=f"{FOREIGN}:optax_sam",
        dialect="without-epsilon",
        cases=("usual-*", "wide-*", "epsilon-*", "paper-*"),
    ),
    _keras("SGD", "gradient-descent"),
    _keras("Adam", "adam", dialect="tensorflow"),
    _keras(
        "Adam, amsgrad",
        "adam",
        settings={"amsgrad": True},
        dialect="amsgrad",
        variant="epsilon_not_corrected",
        note=HAT,
    ),
    _keras("AdamW", "adamw", dialect="tensorflow"),
    _keras("RMSprop", "rmsprop", dialect="tensorflow"),
    _keras("Nadam", "nadam", factory=f"{FOREIGN}:keras_nadam", dialect="keras"),
    _keras("Lion", "lion"),
    _keras("Muon", "muon", dialect="keras", cases=MUON, note=NORM),
    _collection("pytorch_optimizer", "pytorch_optimizer", "SGDW", "gradient-descent"),
    _collection("pytorch_optimizer", "pytorch_optimizer", "AdamP", "adam", dialect="tensorflow", definition=PROJECTED),
    _collection("pytorch_optimizer", "pytorch_optimizer", "Lion", "lion"),
    _collection(
        "pytorch_optimizer",
        "pytorch_optimizer",
        "Muon",
        "muon",
        inner_dtype="bfloat16",
        factory=f"{FOREIGN}:pytorch_optimizer_muon",
        cases=MUON,
    ),
    _collection(
        "pytorch_optimizer",
        "pytorch_optimizer",
        "SAM",
        "sam",
        factory=f"{FOREIGN}:pytorch_optimizer_sam",
        note="the norm of the gradient is computed in float32, whatever the parameters are in",
    ),
    _collection("timm", "timm.optim", "SGDW", "gradient-descent"),
    _collection("timm", "timm.optim", "AdamWLegacy", "adamw"),
    _collection("timm", "timm.optim", "Lion", "lion"),
    _collection(
        "timm",
        "timm.optim",
        "RMSpropTF",
        "rmsprop",
        dialect="tensorflow",
        variant="square_starts_at_one",
        note="the average of the squares starts at 1, which the source says",
    ),
    _collection(
        "timm", "timm.optim", "Muon", "muon", dialect="match_rms_adamw", inner_dtype="bfloat16", adapter=GROUPED
    ),
    _collection(
        "heavyball",
        "heavyball",
        "SGD",
        "gradient-descent",
        dtypes=("float32",),
        factory=f"{FOREIGN}:heavyball_sgd",
        adapter=EAGER,
        cases=("plain-*", "momentum-*"),
    ),
    _collection(
        "heavyball",
        "heavyball",
        "AdamW",
        "adamw",
        dtypes=("float32",),
        adapter=EAGER,
        variant="epsilon_as_bound",
        note="the denominator is max(√v̂, ε), as its setting default_division_backend says",
    ),
    Row(
        "scikit-learn",
        "SGDOptimizer",
        "gradient-descent",
        "sklearn.neural_network._stochastic_optimizers:SGDOptimizer",
        SKLEARN,
        dtypes=TWO,
    ),
    Row(
        "scikit-learn",
        "AdamOptimizer",
        "adam",
        "sklearn.neural_network._stochastic_optimizers:AdamOptimizer",
        SKLEARN,
        dtypes=TWO,
        dialect="tensorflow",
    ),
    _mlx("SGD", "gradient-descent"),
    _mlx("Adam", "adam", variant="correction_missing", note=UNCORRECTED),
    _mlx("Adam, corrected", "adam", settings={"bias_correction": True}),
    _mlx("AdamW, corrected", "adamw", settings={"bias_correction": True}),
    _mlx("RMSprop", "rmsprop", cases=UNMOVED),
    _mlx("Lion", "lion"),
    _mlx("Muon", "muon", factory=f"{FOREIGN}:mlx_muon", cases=MUON[:3], variant="decay_in_the_gradient", note=L2),
    _example("sgd", "gradient-descent", cases=("plain-*",)),
    _example("momentum", "gradient-descent", cases=("plain-*", "momentum-*")),
    _example("nesterov", "gradient-descent", adapter=f"{FOREIGN}:always_nesterov", cases=("nesterov-*",)),
    _example("adam", "adam"),
    _example("rmsprop", "rmsprop", dialect="tensorflow", cases=UNMOVED),
    _example("rmsprop_momentum", "rmsprop", dialect="tensorflow", cases=(*UNMOVED, "momentum-*", "rest-*")),
    Row(
        "autograd",
        "misc.optimizers.sgd",
        "gradient-descent",
        f"{FOREIGN}:autograd_sgd",
        AUTOGRAD,
        cases=("plain-*", "momentum-*"),
        dialect="dampened",
    ),
    Row(
        "autograd",
        "misc.optimizers.rmsprop",
        "rmsprop",
        f"{FOREIGN}:autograd_rmsprop",
        AUTOGRAD,
        cases=UNMOVED,
        variant="square_starts_at_one",
        note="the average of the squares starts at 1, which the source says",
    ),
    Row("autograd", "misc.optimizers.adam", "adam", f"{FOREIGN}:autograd_adam", AUTOGRAD),
    _authors("RollingBallOptimizer", "rolling-ball", "ball"),
    _authors("SAM", "sam", "sam", cases=("paper-*",), note=REFERENCES),
    _authors("EntropySGD", "entropy-sgd", "entropy_sgd", dialect="fixed-scope"),
)
