"""A plain NumPy loop, as somebody writes it in an afternoon."""

import numpy as np


def rolling_ball_step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
    value, grad = loss(theta)
    norm = np.hypot(1.0, np.linalg.norm(grad))
    center = np.append(theta, value) + radius * np.append(-grad, 1.0) / norm
    target = center - learning_rate * np.append(grad, grad @ grad)

    position = theta.copy()
    for _ in range(projection_steps):
        value, grad = loss(position)
        position -= projection_rate * (position - target[:-1] + (value - target[-1]) * grad)
    return position.astype(theta.dtype)


PORT = rolling_ball_step
