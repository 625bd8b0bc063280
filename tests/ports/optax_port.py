"""The Rolling Ball Optimizer as an Optax transformation that asks for further gradients."""

import jax
import jax.numpy as jnp
import optax


def rolling_ball(learning_rate, radius, projection_rate, projection_steps):
    def init(params):
        return optax.EmptyState()

    def update(updates, state, params, *, value, value_and_grad_fn, **extra):
        del extra
        grad = updates
        square = optax.tree.norm(grad, squared=True)
        lift = radius / jnp.sqrt(1 + square)
        goal = jax.tree.map(lambda p, g: p - lift * g - learning_rate * g, params, grad)
        goal_height = value + lift - learning_rate * square

        def inner(_, point):
            height, slope = value_and_grad_fn(point)
            pull = jax.tree.map(lambda x, y, g: (x - y) + (height - goal_height) * g, point, goal, slope)
            return jax.tree.map(lambda x, q: x - projection_rate * q, point, pull)

        end = jax.lax.fori_loop(0, projection_steps, inner, params)
        return jax.tree.map(lambda new, old: new - old, end, params), state

    return optax.GradientTransformationExtraArgs(init, update)


PORT = rolling_ball
