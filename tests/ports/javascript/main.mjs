// The conversation with the oracle, see docs/protocol.rst.

import { createInterface } from "node:readline";
import { GradientDescent, RollingBall } from "./optimizers.mjs";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value ?? '{"command": "stop"}');
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

// Numbers travel as decimal numbers, but for those that JSON lacks: they are strings.
const written = (vector) => vector.map((x) => (Number.isFinite(x) ? x : String(x)));

// The loss is the oracle's.
async function loss(theta) {
  say({ evaluate: written(theta) });
  const { value, gradient } = await hear();
  return { value: Number(value), gradient: gradient.map(Number) };
}

const runs = {
  async "rolling-ball"({ theta, hyper }) {
    const ball = new RollingBall({
      learningRate: hyper.learning_rate,
      radius: hyper.radius,
      projectionRate: hyper.projection_rate,
      projectionSteps: hyper.projection_steps,
    });
    return { theta: written(await ball.step(loss, theta)), inner: ball.inner.map(written) };
  },

  async "gradient-descent"({ theta, hyper, iterations }) {
    const { learning_rate: learningRate, momentum, nesterov } = hyper;
    const descent = new GradientDescent({ learningRate, momentum, nesterov });
    const iterates = [];
    for (let t = 0; t < iterations; t++) iterates.push(await descent.step(loss, iterates.at(-1) ?? theta));
    return { iterates: iterates.map(written) };
  },
};

for (let order = await hear(); order.command !== "stop"; order = await hear()) {
  if (order.command === "start") {
    const optimizers = Object.keys(runs);
    say({ version: 1, name: "optimizers.mjs", language: "JavaScript", optimizers, dtypes: ["float64"], numbers: "decimal" });
    continue;
  }
  try {
    say({ id: order.id, ...(await runs[order.optimizer](order)) });
  } catch (error) {
    say({ id: order.id, error: String(error) });
  }
}
