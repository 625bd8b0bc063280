// Answers the float64 vectors of runs of the Rolling Ball Optimizer. Usage: node port.mjs FOLDER > answers.jsonl
import { readFileSync } from "node:fs";

const lines = (name) => readFileSync(`${process.argv[2]}/${name}`, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const view = new DataView(new ArrayBuffer(8));

function number(bits) {
  if (Array.isArray(bits)) return bits.map(number);
  view.setBigUint64(0, BigInt(bits));
  return view.getFloat64(0);
}

function pattern(x) {
  if (Array.isArray(x)) return x.map(pattern);
  view.setFloat64(0, x);
  return "0x" + view.getBigUint64(0).toString(16).padStart(16, "0");
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const add = (a, b, k = 1) => a.map((x, i) => x + k * b[i]);
const column = (rows, i) => rows.map((row) => row[i]);

const PHI = {
  sin: [Math.sin, Math.cos],
  exp: [Math.exp, Math.exp],
  softplus: [(u) => Math.log1p(Math.exp(u)), (u) => 1 / (1 + Math.exp(-u))],
};

const TERMS = {
  quadratic({ matrix, slope, height }, theta) {
    const curved = matrix.map((row) => dot(row, theta));
    return [dot(curved, theta) / 2 + dot(slope, theta) + height, add(curved, slope)];
  },
  ridges({ profile, weights, shifts, amplitudes }, theta) {
    const u = weights.map((row, k) => dot(row, theta) + shifts[k]);
    const slopes = u.map((x, k) => amplitudes[k] * PHI[profile][1](x));
    return [dot(amplitudes, u.map(PHI[profile][0])), theta.map((_, i) => dot(slopes, column(weights, i)))];
  },
  bumps({ centers, amplitude, square_width }, theta) {
    const away = centers.map((center) => add(theta, center, -1));
    const heights = away.map((a) => amplitude * Math.exp(-dot(a, a) / square_width));
    return [heights.reduce((a, b) => a + b), theta.map((_, i) => (-2 / square_width) * dot(heights, column(away, i)))];
  },
};

const readTerm = (term) => Object.fromEntries(Object.entries(term).map(([k, v]) => [k, v.bits ? number(v.bits) : v]));
const losses = Object.fromEntries(lines("losses.jsonl").map(({ id, terms }) => [id, terms.map(readTerm)]));

function evaluate(terms, theta) {
  const parts = terms.map((term) => TERMS[term.kind](term, theta));
  return parts.reduce(([f, g], [value, slope]) => [f + value, add(g, slope)]);
}

function step(loss, theta, { learning_rate: eta, radius: rho, projection_rate: gamma, projection_steps: steps }) {
  let [f, g] = loss(theta);
  const square = dot(g, g), w = Math.sqrt(1 + square);
  const x = theta.map((t, i) => t - (rho * g[i]) / w - eta * g[i]), y = f + rho / w - eta * square;
  for (let k = 0; k < steps; k++) {
    [f, g] = loss(theta);
    theta = theta.map((t, i) => t - gamma * (t - x[i] + (f - y) * g[i]));
  }
  return theta;
}

for (const vector of lines("rolling-ball.jsonl")) {
  if (vector.dtype !== "float64" || vector.dialect !== "authors" || !["run", "scripted"].includes(vector.kind)) continue;
  const hypers = vector.hyper.map(readTerm);
  let asked = 0, theta = number(vector.theta.bits);
  const { value, gradient } = vector.script ?? {};
  const loss = vector.script
    ? () => [number(value.bits[asked]), number(gradient.bits[asked++])]
    : (place) => evaluate(losses[vector.loss], place);
  const iterates = [];
  for (let t = 0; t < vector.iterations; t++) iterates.push((theta = step(loss, theta, hypers[t % hypers.length])));
  console.log(JSON.stringify({ id: vector.id, iterates: pattern(iterates) }));
}
