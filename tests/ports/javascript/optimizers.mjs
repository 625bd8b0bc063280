// Two optimizers, as one writes them in JavaScript: nothing here knows that they will be judged.
// loss(theta) is a promise of {value, gradient}.

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

export class RollingBall {
  constructor({ learningRate, radius, projectionRate, projectionSteps }) {
    Object.assign(this, { learningRate, radius, projectionRate, projectionSteps });
  }

  async step(loss, theta) {
    const { value, gradient } = await loss(theta);
    const square = dot(gradient, gradient);
    const lift = this.radius / Math.sqrt(1 + square);
    const goal = theta.map((t, i) => t - lift * gradient[i] - this.learningRate * gradient[i]);
    const goalHeight = value + lift - this.learningRate * square;

    let position = theta;
    this.inner = [position];
    for (let k = 0; k < this.projectionSteps; k++) {
      const { value, gradient } = await loss(position);
      const drop = value - goalHeight;
      position = position.map((t, i) => t - this.projectionRate * (t - goal[i] + drop * gradient[i]));
      this.inner.push(position);
    }
    return position;
  }
}

export class GradientDescent {
  constructor({ learningRate, momentum = 0, nesterov = false }) {
    Object.assign(this, { learningRate, momentum, nesterov });
  }

  async step(loss, theta) {
    const { gradient } = await loss(theta);
    this.velocity = gradient.map((g, i) => this.momentum * (this.velocity?.[i] ?? 0) + g);
    const direction = this.nesterov ? gradient.map((g, i) => g + this.momentum * this.velocity[i]) : this.velocity;
    return theta.map((t, i) => t - this.learningRate * direction[i]);
  }
}
