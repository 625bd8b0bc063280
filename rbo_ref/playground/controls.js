// What the page does when somebody uses it.

const $ = (id) => document.getElementById(id);

// The view and the ball to begin with: width, start, radius, rate.
const FIRST = {
  sine: [9, [2.6], 0.8, 0.3],
  wrinkled: [5, [1.9], 0.3, 0.002],
  gaussians: [6, [1.9, 1.2], 0.4, 0.005],
  "weierstrass (1-D)": [4, [0.35], 0.2, 0.005],
  "weierstrass (2-D)": [3, [0.35, 0.2], 0.2, 0.005],
  "paraboloid (1-D)": [6, [2], 0.5, 0.2],
  "paraboloid (2-D)": [6, [2, 1], 0.5, 0.2],
  beale: [8, [1, 1.5], 0.5, 0.0005],
  rosenbrock: [4, [-1, 1], 0.1, 0.0002],
  himmelblau: [12, [0, 0], 0.5, 0.002],
  "ackley (1-D)": [16, [4], 1, 0.05],
  "ackley (2-D)": [10, [3, 2], 1, 0.05],
};
const USUAL = { 1: [8, [1.5], 0.5, 0.1], 2: [8, [1.5, 1], 0.5, 0.05] };
const ROUGH = ["wrinkled", "weierstrass", "gaussians", "ackley", "rastrigin"]; // there a search from the contact ends inside of a mountain
const LONGEST = 20000; // steps

const state = { surface: null, trail: [], center: null, timer: null, view: null, middle: [0, 0] };

// --- the ball --------------------------------------------------------------------------------------------------------

function ballAsked() {
  const ball = {
    learningRate: Number($("rate").value), radius: Number($("radius").value), solver: $("solver").value, variant: $("variant").value,
    projectionRate: Number($("gamma").value), projectionSteps: Number($("inner").value),
  };
  if (!(ball.radius > 0 && ball.radius < Infinity)) throw new Error("The radius must be a positive number.");
  if (!(ball.learningRate > 0 && ball.learningRate < Infinity)) throw new Error("The learning rate must be a positive number.");
  if (ball.solver === "inner" && !(ball.projectionRate > 0)) throw new Error("The inner rate must be a positive number.");
  if (!(Number.isInteger(ball.projectionSteps) && ball.projectionSteps >= 0 && ball.projectionSteps <= 10000)) {
    throw new Error("The inner steps must be a whole number from 0 to 10000.");
  }
  return ball;
}

function startAsked() {
  const { d } = state.surface, numbers = $("start").value.trim().split(/[\s,;]+/).map(Number);
  if (numbers.length !== d || !numbers.every(Number.isFinite)) {
    throw new Error(d === 1 ? "The start must be one number." : "The start must be two numbers, as in 1.5, 1.");
  }
  return numbers;
}

function widthAsked() {
  const width = Number($("width").value);
  if (!(width > 0 && width < 1e6)) throw new Error("The width of the view must be a positive number.");
  return width;
}

// Does it, or says in a sentence why it cannot be done.
function trying(what) {
  try {
    what();
    $("complaint").hidden = true;
  } catch (error) {
    stop();
    $("complaint").textContent = error.message;
    $("complaint").hidden = false;
  }
}

function stopAt(theta, center) {
  return { theta, height: state.surface.value(theta), center };
}

function restart() {
  trying(() => {
    const theta = startAsked(), ball = ballAsked();
    state.trail = [stopAt(theta, restingCenter(state.surface, theta, ball.radius))];
    state.center = null;
    state.middle = state.surface.d === 1 ? [theta[0], state.trail[0].height + ball.radius / 2] : [...state.surface.middle ?? [0, 0]];
    show();
  });
}

function oneStep() {
  const ball = ballAsked(), { theta } = state.trail.at(-1);
  const step = rollStep(state.surface, ball, theta, state.center);
  if (!step.theta.every(Number.isFinite) || !Number.isFinite(state.surface.value(step.theta))) {
    throw new Error(`After ${state.trail.length - 1} steps the next place is no number: the rate may be too large.`);
  }
  state.center = ball.variant === "distance" ? step.candidate : null;
  state.trail.push(stopAt(step.theta, state.center ?? restingCenter(state.surface, step.theta, ball.radius)));
  if (state.trail.length > LONGEST) throw new Error(`The page takes ${LONGEST} steps at most.`);
}

function stop() {
  clearInterval(state.timer);
  state.timer = null;
  $("run").textContent = "Run";
  $("run").setAttribute("aria-pressed", "false");
}

function run() {
  if (state.timer) return stop();
  state.timer = setInterval(() => trying(() => (oneStep(), show())), 60);
  $("run").textContent = "Pause";
  $("run").setAttribute("aria-pressed", "true");
}

// --- the picture -----------------------------------------------------------------------------------------------------

function show() {
  const { surface, trail } = state, here = trail.at(-1), ball = ballAsked(), width = widthAsked();
  follow(here, width);
  const scene = { name: $("landscape").value, value: surface.value, middle: state.middle, width, radius: ball.radius, trail, known: { offset: true } };
  state.view = surface.d === 1 ? drawSection($("picture"), scene) : drawMap($("picture"), scene);
  const numbers = (list) => list.map((x) => x.toPrecision(6).replace("-", "−")).join(", ");
  $("reading").textContent = `Step ${trail.length - 1}: θ = ${numbers(here.theta)}, f(θ) = ${numbers([here.height])}, height of the centre ${numbers([here.center.at(-1)])}`;
}

// The view goes where the ball is.
function follow({ center }, width) {
  const { clientWidth: w, clientHeight: h } = $("picture"), reach = [0.45 * width, (0.45 * width * h) / w];
  state.middle = state.middle.map((m, i) => (Math.abs(center[i] - m) > reach[i] ? center[i] : m));
}

function choose(name) {
  stop();
  state.surface = LANDSCAPES[name];
  $("solver").value = ROUGH.some((rough) => name.startsWith(rough)) ? "search" : "newton";
  showInner();
  const [width, start, radius, rate] = FIRST[name] ?? USUAL[state.surface.d];
  Object.entries({ width, start: start.join(", "), radius, rate }).forEach(([id, value]) => ($(id).value = value));
  const keys = state.surface.d === 1
    ? [["ink", "graph of f"], ["offset", "f_ρ, where centres rest"], ["truth", "ball and its centre"], ["port", "contact"]]
    : [["port", "contact θ"], ["truth", "ball and its centre, from above"]];
  $("legend").replaceChildren(...keys.map(([name, text]) => {
    const key = element("span", "", "key"), line = element("i");
    line.style.color = `var(--${name})`;
    key.append(line, text);
    return key;
  }));
}

function startAt(event) {
  const box = $("picture").getBoundingClientRect();
  const place = state.view.place(event.clientX - box.left, event.clientY - box.top);
  stop();
  $("start").value = place.slice(0, state.surface.d).map((x) => Number(x.toPrecision(5))).join(", ");
  const { middle } = state;
  restart();
  if (state.surface.d === 1) state.middle = middle;
  trying(show);
}

function shiftStart(event) {
  const along = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 1], ArrowDown: [1, -1] }[event.key];
  if (event.key === "Enter") return trying(() => (oneStep(), show()));
  if (!along || along[0] >= state.surface.d) return undefined;
  event.preventDefault();
  return trying(() => {
    const start = startAsked();
    start[along[0]] += (along[1] * widthAsked()) / 100;
    $("start").value = start.map((x) => Number(x.toPrecision(5))).join(", ");
    stop();
    restart();
  });
}

// --- the judge -------------------------------------------------------------------------------------------------------

let patience = 10000; // milliseconds until code counts as one that does not come back
const RIGHT_STEP = `function step(loss, theta, { learning_rate, radius, projection_rate, projection_steps }) {
  const [f, g] = loss(theta);
  const square = g.reduce((sum, x) => sum + x * x, 0), w = Math.sqrt(1 + square);
  const x = theta.map((t, i) => t - radius * g[i] / w - learning_rate * g[i]); // the candidate,
  const y = f + radius / w - learning_rate * square; // and its height
  for (let k = 0; k < projection_steps; k++) {
    const [f, g] = loss(theta);
    theta = theta.map((t, i) => t - projection_rate * (t - x[i] + (f - y) * g[i]));
  }
  return theta;
}
`;
const EXAMPLES_TO_JUDGE = {
  "a right step": RIGHT_STEP,
  "a wrong one: the gradient is not evaluated again": RIGHT_STEP.replace("const [f, g] = loss(theta);\n    ", "const [f] = loss(theta);\n    "),
  "a wrong one: the ball moves uphill": RIGHT_STEP.replace("w - learning_rate * g[i]", "w + learning_rate * g[i]").replace("w - learning_rate * square", "w + learning_rate * square"),
  "an empty page": "function step(loss, theta, { learning_rate, radius, projection_rate, projection_steps }) {\n}\n",
};

let asked = null;

function questionsOfPage() {
  asked ??= JSON.parse($("questions").textContent);
  return asked;
}

// The answers of pasted code, made in a worker that is ended when it does not come back.
function answersOf(code, vectors, losses) {
  const text = `${ASKING}\nonmessage = ({ data: { code, vectors, losses } }) => {\n` +
    "for (const vector of vectors) postMessage(answerTo(code, vector, losses[vector.loss]));\n};";
  const place = URL.createObjectURL(new Blob([text], { type: "text/javascript" })), worker = new Worker(place), answers = [];
  return new Promise((resolve) => {
    const end = (why) => {
      clearTimeout(timer);
      worker.terminate();
      URL.revokeObjectURL(place);
      vectors.slice(answers.length).forEach(({ id }) => answers.push({ id, problem: why, verdict: "skipped" }));
      resolve(answers);
    };
    const timer = setTimeout(() => end(`no answer within ${patience / 1000} s`), patience);
    worker.onmessage = ({ data }) => {
      const { id } = vectors[answers.length];
      const mine = data?.id === id && (typeof data.problem === "string" || Array.isArray(data.iterates));
      if (!mine) return end("the code sent messages of its own");
      answers.push(data);
      return answers.length === vectors.length ? end("") : undefined;
    };
    worker.onerror = (event) => end(`the code ended: ${String(event.message).slice(0, 200)}`);
    worker.postMessage({ code, vectors: vectors.map(({ id, loss, theta, hyper, iterations }) => ({ id, loss, theta, hyper, iterations })), losses });
  });
}

async function judgeCode() {
  const questions = questionsOfPage();
  const vectors = questions.vectors.filter(({ kind, reading }) => kind === "run" && reading === $("dialect").value);
  tell([element("p", `Asking ${vectors.length} questions …`, "quiet")]);
  $("judge").disabled = true;
  try {
    shown(judgeAnswers(questions, await answersOf($("code").value, vectors, questions.losses)));
  } finally {
    $("judge").disabled = false;
  }
}

async function judgeGiven(file) {
  if (file.size > 5e7) return tell([element("p", `${file.name} has more than 50 MB: no file of answers is so large.`, "wrong")]);
  try {
    return shown(judgeFile(questionsOfPage(), await file.text()));
  } catch (error) {
    return tell([element("p", `${file.name} cannot be judged: ${error.message}`, "wrong")]);
  }
}

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const tell = (elements) => $("judgement").replaceChildren(...elements);

const HOW = { RIGHT: "right", WRONG: "wrong" };

// A judgement in words and pictures.
function shown(found) {
  const { verdict, counts, owed, diagnosis, results } = found;
  const lines = [element("p", verdict, `verdict ${HOW[verdict] ?? ""}`)];
  const skipped = counts.skipped ? `, ${counts.skipped} not judged` : "";
  lines.push(element("p", `${results.length} answers: ${counts.pass} right, ${counts.fail} wrong, ${counts.undecidable} undecidable${skipped}.`));
  if (owed.length) lines.push(element("p", `${owed.length} more must be answered, the first of them ${owed[0]}.`));
  if (diagnosis) {
    const name = element("p"), twins = diagnosis.twins.length ? `; cannot be told apart from ${diagnosis.twins.join(", ")}` : "";
    name.append(element("strong", diagnosis.name), `: ${diagnosis.description}.`);
    lines.push(name, element("p", `Evidence: ${diagnosis.evidence}${twins}.`, "quiet"));
  } else if (counts.fail) {
    const more = results.some(({ kind }) => kind === "trajectory") ? " The page compares no trajectories with mistakes; rbo-ref vectors does." : "";
    lines.push(element("p", `No known mistake was found to do all this.${more}`));
  }
  const told = results.filter(({ message }) => message), list = element("ul");
  told.slice(0, 6).forEach(({ id, message }) => list.append(element("li", `${id}: ${message}`)));
  if (told.length > 6) list.append(element("li", `and ${told.length - 6} more`));
  tell(told.length ? [...lines, list] : lines);
  pictured(found);
}

function pictured({ results, answers }) {
  const place = $("judgement");
  if (results.some(({ error }) => error !== undefined)) {
    const errors = canvasWith("Errors in tolerances, a dot for each question; wrong ones are filled, and right of the line");
    place.append(errors, element("p", "Each answer's error in tolerances. Filled: wrong.", "quiet"));
    drawErrors(errors, results);
  }
  const wrong = worstRun(results, answers);
  if (!wrong) return;
  const { vector, truth, answer } = wrong, path = canvasWith("The true path and that of the port");
  place.append(path, element("p", `${vector.id}: broad and blue the truth, dashed and orange the answer.`, "quiet"));
  drawAnswer(path, questionsOfPage().losses[vector.loss], vector.theta, truth, answer);
}

function canvasWith(label) {
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

// The wrong answer that can be seen best: of one or two parameters, off by a good part of the way.
function worstRun(results, answers) {
  const known = vectorsOf(questionsOfPage());
  const seen = results.filter(({ id, verdict }) => verdict === "fail" && answers.has(id)).map(({ id }) => {
    const vector = known.get(id), d = vector.theta?.length ?? 0, { iterates } = answers.get(id);
    if (vector.kind !== "run" || d > 2 || !iterates.every((x) => Math.abs(x) < 1e6)) return null;
    const rows = (flat) => Array.from({ length: flat.length / d }, (_, t) => Array.from(flat.slice(t * d, t * d + d)));
    const truth = rows(truthOf(vector, "iterates").high), answer = rows(iterates);
    const far = Math.hypot(...answer.at(-1).map((x, i) => x - truth.at(-1)[i])), way = Math.hypot(...truth.at(-1).map((x, i) => x - vector.theta[i]));
    return { vector, truth, answer, share: far / (far + way + 1e-300) };
  });
  return seen.filter(Boolean).sort((a, b) => Math.abs(a.share - 0.5) - Math.abs(b.share - 0.5))[0];
}

// --- beginning -------------------------------------------------------------------------------------------------------

function options(id, entries) {
  $(id).replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
}

function begin() {
  options("landscape", Object.keys(LANDSCAPES).map((name) => [name, name]));
  options("dialect", Object.entries(questionsOfPage().readings).map(([name, text]) => [name, `${name}: ${text}`]));
  options("example", Object.keys(EXAMPLES_TO_JUDGE).map((name) => [name, name]));
  $("code").value = RIGHT_STEP;
  $("landscape").addEventListener("change", () => (choose($("landscape").value), restart()));
  for (const id of ["start", "radius", "width"]) $(id).addEventListener("change", () => (stop(), restart()));
  for (const id of ["solver", "variant"]) $(id).addEventListener("change", () => (showInner(), stop(), restart()));
  $("step").addEventListener("click", () => trying(() => (oneStep(), show())));
  $("run").addEventListener("click", run);
  $("reset").addEventListener("click", () => (stop(), restart()));
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("picture").addEventListener("pointerdown", startAt);
  $("picture").addEventListener("pointermove", (event) => event.buttons && startAt(event));
  $("picture").addEventListener("keydown", shiftStart);
  window.addEventListener("resize", () => trying(show));
  $("example").addEventListener("change", () => ($("code").value = EXAMPLES_TO_JUDGE[$("example").value]));
  $("judge").addEventListener("click", judgeCode);
  $("file").addEventListener("change", () => $("file").files[0] && judgeGiven($("file").files[0]));
  dropped();
  told(new URLSearchParams(location.hash.slice(1)));
}

function showInner() {
  for (const label of document.querySelectorAll(".inner")) label.hidden = $("solver").value !== "inner";
}

function dropped() {
  const over = (is) => (event) => (event.preventDefault(), $("drop").classList.toggle("over", is));
  $("drop").addEventListener("dragover", over(true));
  $("drop").addEventListener("dragleave", over(false));
  $("drop").addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files[0]) judgeGiven(event.dataTransfer.files[0]);
  });
}

// What an address asks for: play.html#landscape=wrinkled&radius=0.4&steps=20, or #judge=1.
function told(address) {
  const name = address.get("landscape");
  if (name in LANDSCAPES) $("landscape").value = name;
  choose($("landscape").value);
  for (const id of ["radius", "rate", "start", "width", "solver", "variant", "gamma", "inner"]) {
    if (address.has(id)) $(id).value = address.get(id);
  }
  showInner();
  restart();
  trying(() => {
    for (let k = Math.min(Number(address.get("steps")) || 0, 1000); k > 0; k--) oneStep();
    show();
  });
  const example = Object.keys(EXAMPLES_TO_JUDGE)[address.get("judge") ?? -1];
  if (example === undefined) return;
  $("example").value = example;
  $("code").value = EXAMPLES_TO_JUDGE[example];
  judgeCode();
}

begin();
