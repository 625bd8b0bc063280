"""The Rolling Ball Optimizer as a PyTorch optimizer with a closure."""

import torch


class RollingBall(torch.optim.Optimizer):
    """One ball rolls over all parameters of all groups; the hyper-parameters are those of the first group."""

    def __init__(self, params, lr=0.1, radius=0.5, projection_rate=0.01, projection_steps=10):
        if lr <= 0 or radius <= 0 or projection_rate <= 0:
            raise ValueError("lr, radius and projection_rate must be positive")
        defaults = {
            "lr": lr,
            "radius": radius,
            "projection_rate": projection_rate,
            "projection_steps": projection_steps,
        }
        super().__init__(params, defaults)

    def _params(self):
        return [p for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self, closure):
        closure = torch.enable_grad()(closure)
        group, params = self.param_groups[0], self._params()
        loss = closure()
        height = loss.detach().clone()
        grads = [p.grad.clone() for p in params]
        square = sum(g.pow(2).sum() for g in grads)
        stretch = (1 + square).sqrt()

        lift = group["radius"] / stretch
        goals = [p - (lift + group["lr"]) * g for p, g in zip(params, grads, strict=True)]
        goal_height = height + lift - group["lr"] * square

        for _ in range(group["projection_steps"]):
            gap = closure().detach() - goal_height
            for p, goal in zip(params, goals, strict=True):
                p.sub_(group["projection_rate"] * (p - goal + gap * p.grad))
        return loss


PORT = RollingBall
