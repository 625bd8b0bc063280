// The Rolling Ball Optimizer, Algorithm 1 and Section 3.2 of Belgoumri et al. (2025), for one or two parameters.
// A surface has jet(theta, g, h), which returns f(θ) and stores ∇f and, row by row, ∇²f.

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const along = (a, b, t = 1) => a.map((x, i) => x + t * b[i]);

function lookAt(surface, theta) {
  const d = theta.length, g = new Array(d).fill(0), h = new Array(d * d).fill(0);
  const f = surface.jet(theta, g, h);
  return { theta, f, g, h };
}

// One step from the contact θ. ball: learningRate, radius, solver, projectionRate, projectionSteps, variant;
// center: that of the step before, which the variant "distance" carries on.
function rollStep(surface, ball, theta, center = null) {
  const { f, g } = lookAt(surface, theta);
  const p = [...theta, f], w = Math.hypot(1, ...g);
  const nu = [...g.map((slope) => -slope / w), 1 / w];
  const tau = [...g, dot(g, g)];
  let c = along(p, nu, ball.radius), candidate;
  if (ball.variant === "footpoint") {
    candidate = along(c, tau, -ball.learningRate);
  } else {
    c = center ?? c;
    const u = along(c, p, -1), delta = tau.map((x) => -ball.learningRate * x); // Eq. (10)
    candidate = along(c, along(delta, u, -dot(u, delta) / dot(u, u))); // Eq. (11), Eq. (12)
  }
  const foot = SOLVERS[ball.solver](surface, ball, candidate, theta);
  return { theta: foot, p, normal: nu, tangent: tau, center: c, candidate };
}

const SOLVERS = {
  newton: (surface, ball, candidate, theta) => footpoint(surface, candidate, theta),
  search: (surface, ball, candidate, theta) => searched(surface, candidate, theta),
  inner: descended,
};

// The paper's inner loop: so many gradient steps on half the squared distance.
function descended(surface, ball, candidate, theta) {
  const x = candidate.slice(0, -1), y = candidate.at(-1);
  for (let k = 0; k < ball.projectionSteps; k++) {
    const { f, g } = lookAt(surface, theta);
    theta = theta.map((t, i) => t - ball.projectionRate * (t - x[i] + (f - y) * g[i]));
  }
  return theta;
}

// The centre of the ball that touches at θ.
function restingCenter(surface, theta, radius) {
  const { f, g } = lookAt(surface, theta), w = Math.hypot(1, ...g);
  return [...theta.map((t, i) => t - (radius * g[i]) / w), f + radius / w];
}

// The footpoint of a query by Newton's method in the metric of the graph, never farther than the start.
function footpoint(surface, query, start) {
  let here = viewFrom(surface, query, start);
  for (let k = 0; k < 100 && Number.isFinite(here.phi); k++) {
    const size = Math.hypot(...query) + Math.hypot(...here.theta) + Math.abs(here.f);
    const next = nearer(surface, query, here, newtonStep(here), 1e-4, 60) ?? nearer(surface, query, here, aside(here), 0, 8);
    if (next === null) break;
    const moved = Math.hypot(...along(next.theta, here.theta, -1));
    here = next;
    if (moved <= 1e-16 * size) break;
  }
  return here.theta;
}

const SAMPLES = { 1: 2000, 2: 48 }; // on a side of the square in which a nearer point can be

// The nearest of samples wherever a nearer point can be, and from there Newton's method.
function searched(surface, query, start) {
  const d = start.length, x = query.slice(0, -1), y = query.at(-1), n = SAMPLES[d];
  const far = (theta) => Math.hypot(...along(theta, x, -1), surface.value(theta) - y);
  const reach = far(start), side = Array.from({ length: n + 1 }, (_, k) => reach * ((2 * k) / n - 1));
  const places = d === 1 ? side.map((s) => [x[0] + s]) : side.flatMap((s) => side.map((t) => [x[0] + s, x[1] + t]));
  let nearest = start, least = reach;
  for (const place of places) {
    const distance = Math.hypot(...along(place, x, -1)) < least ? far(place) : Infinity;
    if (distance < least) [nearest, least] = [place, distance];
  }
  return footpoint(surface, query, nearest);
}

// A contact as it is seen from the query: half the squared distance φ, and ∇φ.
function viewFrom(surface, query, theta) {
  const contact = lookAt(surface, theta), x = query.slice(0, -1);
  const away = along(theta, x, -1), above = contact.f - query.at(-1);
  return { ...contact, above, phi: (dot(away, away) + above * above) / 2, pull: along(away, contact.g, above) };
}

// The first of the steps t·step, t = 1, ½, ¼, …, that leads nearer to the query, or null.
function nearer(surface, query, here, step, decrease, halvings) {
  const slope = dot(here.pull, step);
  if (!step.every(Number.isFinite) || !step.some((s) => s !== 0)) return null;
  for (let k = 0, t = 1; k < halvings; k++, t /= 2) {
    const there = viewFrom(surface, query, along(here.theta, step, t));
    if (there.phi < here.phi + decrease * t * Math.min(slope, 0)) return there;
  }
  return null;
}

// G^(-1/2)·v with the metric G = I + g gᵀ.
function inFrame({ g }, v) {
  const square = dot(g, g), w = Math.sqrt(1 + square);
  return along(v, g, -dot(g, v) / (w * (1 + w)));
}

// Eigenvalues and vectors of I + (f − y)·K in the frame, K being the curvature: 1 − r/ρ at a footpoint.
function principal(here) {
  const d = here.theta.length, axes = d === 1 ? [[1]] : [[1, 0], [0, 1]];
  const bent = axes.map((axis) => {
    const v = inFrame(here, axis);
    return inFrame(here, axes.map((_, i) => dot(here.h.slice(i * d, i * d + d), v)));
  });
  if (d === 1) return [[1 + here.above * bent[0][0], [1]]];
  const [a, b, c] = [1 + here.above * bent[0][0], here.above * bent[0][1], 1 + here.above * bent[1][1]];
  const mean = (a + c) / 2, gap = Math.hypot((a - c) / 2, b), angle = Math.atan2(2 * b, a - c) / 2;
  const one = [Math.cos(angle), Math.sin(angle)];
  return [[mean + gap, one], [mean - gap, [-one[1], one[0]]]];
}

// Newton's step, downhill beyond focal points too, no longer than the query is away.
function newtonStep(here) {
  const pull = inFrame(here, here.pull), distance = Math.sqrt(2 * here.phi);
  let step = here.theta.map(() => 0);
  for (const [value, axis] of principal(here)) step = along(step, axis, -dot(axis, pull) / Math.max(Math.abs(value), 1e-8));
  const length = Math.hypot(...step);
  const scale = length > distance ? distance / length : 1;
  return inFrame(here, step).map((s) => s * scale);
}

// From a stationary point that is no minimum of the distance: a way along the negative curvature.
function aside(here) {
  const [value, axis] = principal(here).at(-1), distance = Math.sqrt(2 * here.phi);
  const flat = Math.hypot(...here.pull) <= 1e-9 * (1 + distance);
  return inFrame(here, axis).map((s) => (flat && value < -1e-9 ? (s * distance) / 2 : 0));
}

// f_ρ at evenly spaced places, from samples of f: the height of the centre of a ball that rests on the graph.
function offsetFunction(heights, spacing, radius) {
  const reach = Math.floor(radius / spacing);
  const caps = Array.from({ length: reach + 1 }, (_, k) => Math.sqrt(Math.max(radius ** 2 - (k * spacing) ** 2, 0)));
  return heights.map((_, i) => {
    let top = -Infinity;
    for (let k = Math.max(i - reach, 0); k <= Math.min(i + reach, heights.length - 1); k++) {
      top = Math.max(top, heights[k] + caps[Math.abs(k - i)]);
    }
    return top;
  });
}
