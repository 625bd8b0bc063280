"""Functions of PyTorch with derivatives of their own. Imported when the first array of PyTorch needs one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["Anywhere", "Borrow", "BorrowInBothModes", "Refuse", "Solve", "fixed_numbers"]


class Borrow(torch.autograd.Function):
    """(known, derived) ↦ known, with the derivatives of `derived`: in reverse mode, all that the compiler follows."""

    generate_vmap_rule = True

    @staticmethod
    def forward(known: Any, derived: Any) -> Any:
        return known.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        return None, cotangents[0]


class BorrowInBothModes(Borrow):
    """The same, in forward mode too."""

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return tangents[1]


class Refuse(torch.autograd.Function):
    """(refuse, known, *recorded) ↦ known; `refuse` raises for whoever asks for a derivative."""

    @staticmethod
    def forward(refuse: Callable[[], Any], known: Any, *recorded: Any) -> Any:
        return known.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.refuse = inputs[0]

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        return ctx.refuse()

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return ctx.refuse()


class Solve(torch.autograd.Function):
    """(solve, b) ↦ solve(b), the solution of a symmetric linear system, as a linear function of b."""

    @staticmethod
    def forward(solve: Callable[[Any], Any], b: Any) -> Any:
        return solve(b)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.solve = inputs[0]

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        return None, Solve.apply(ctx.solve, cotangents[0])

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        return Solve.apply(ctx.solve, tangents[1])


class Anywhere(torch.autograd.Function):
    """A condition as ``torch.func.vmap`` lets it be seen, since it is that of no item: whether it holds for any."""

    @staticmethod
    def forward(condition: Any) -> Any:
        return condition.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def vmap(info: Any, in_dims: Any, condition: Any) -> tuple[Any, None]:
        return Anywhere.apply(condition.any()), None


@torch.compiler.assume_constant_result
def fixed_numbers(make: Callable[..., Any], arguments: tuple[Any, ...], dtype: Any, device: Any) -> Any:
    """``make(*arguments)`` as a tensor, which the compiler does not look into."""
    return torch.asarray(make(*arguments), dtype=dtype, device=device)
