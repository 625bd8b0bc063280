// Which known mistake does all that a port did? The page holds what each mistake answers, and how far from there a port
// may be that makes it. A name is given where every answer, wrong and right, is so explained, and not by chance.

const EXAMPLES = 12; // of wrong runs, and as many of right ones
const CERTAIN = 20; // bits of evidence that are left when all mistakes are asked: once in a million
const NEAR = 1e3; // tolerances of the right answer, within which a suspect may be what a port is,
const NEARER = 2 ** -8; // or this share of the port's error
const MOST = 64; // bits of a number
const COMPARED = ["run", "scripted"];

function named(questions, answers, results) {
  const known = vectorsOf(questions);
  const told = results.filter(({ id }) => answers.has(id) && ["run", "scripted", "trajectory"].includes(known.get(id).kind));
  const wrong = examplesOf(told.filter(({ verdict }) => verdict === "fail"));
  const right = examplesOf(told.filter(({ verdict }) => verdict === "pass"));
  const vectors = [...wrong, ...right].map(({ id }) => known.get(id));
  const { reading } = vectors[0] ?? {};
  if (wrong.length === 0 || vectors.some((vector) => vector.reading !== reading)) return null;
  if (vectors.some(({ kind }) => !COMPARED.includes(kind))) return null; // it may be another mistake there
  const runs = vectors.map((vector) => runOf(vector, answers.get(vector.id).iterates));
  const suspects = questions.suspects[reading];
  return explained(certain, suspects, runs, likely) ?? explained(alike, suspects, runs, () => true);
}

// Examples of all kinds and cases: the worst of each before the second of any.
function examplesOf(results) {
  const seen = new Map(), rounds = [];
  const badness = ({ error, tolerance }) => (tolerance ? error / tolerance : 0);
  for (const result of [...results].sort((a, b) => badness(b) - badness(a) || 0)) {
    const [, kind, name] = result.id.split("."), family = `${kind} ${name.split("-")[0]}`;
    const turn = seen.get(family) ?? 0;
    seen.set(family, turn + 1);
    (rounds[turn] ??= []).push(result);
  }
  const chosen = [];
  for (const group of rounds) {
    const room = EXAMPLES - chosen.length;
    chosen.push(...(group.length <= room ? group : evenly(group.length, room).map((i) => group[i])));
  }
  return chosen;
}

// So many places among n, the first and the last among them.
function evenly(n, count) {
  return Array.from({ length: count }, (_, i) => halfToEven((i * (n - 1)) / Math.max(count - 1, 1)));
}

function halfToEven(x) {
  const down = Math.floor(x), rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

// --- what a port did, step by step -----------------------------------------------------------------------------------

function runOf(vector, iterates) {
  const { high, low, tolerance } = truthOf(vector, "iterates"), [count, d] = vector.parts.iterates.shape;
  const steps = Array.from({ length: count }, (_, t) => {
    const places = Array.from({ length: d }, (_, i) => t * d + i);
    const isKnown = places.every((i) => Number.isFinite(tolerance[i]));
    const wrong = places.some((i) => Math.abs(iterates[i] - high[i] - low[i]) > tolerance[i]);
    return { places, isKnown, wrong };
  });
  return { vector, iterates, high, tolerance, steps };
}

// What each suspect answers to a vector: the answer in floats, and where it can be certified, how far its true answer
// is from there, and how far a port may be from that.
function suspectAnswers(vector) {
  if (vector.decoded) return vector.decoded;
  const { states, floats, shifts, tolerances } = vector.suspects, [count, d] = vector.parts.iterates.shape, n = count * d;
  const all = [doublesOf(floats), halvesOf(shifts), halvesOf(tolerances)];
  let place = 0, certified = 0;
  vector.decoded = [...states].map((state) => {
    if (state === "-") return null;
    const answer = { floats: all[0].subarray(place, (place += n)) };
    if (state === "c") {
      const end = certified + n;
      Object.assign(answer, { shift: all[1].subarray(certified, end), tolerance: all[2].subarray(certified, end) });
      certified = end;
    }
    return answer;
  });
  return vector.decoded;
}

// --- explanations ----------------------------------------------------------------------------------------------------

// The first of the suspects that explains all, those that cannot be told apart from it, and what it reproduces.
function explained(how, suspects, runs, isPossible) {
  const needed = CERTAIN + Math.log2(suspects.length);
  const found = suspects
    .map((suspect, k) => ({ ...suspect, fit: isPossible(runs, k) ? fitted(how, runs, k) : null }))
    .filter(({ fit }) => fit && fit.wrong > fit.undecided && fit.bits >= needed);
  if (found.length === 0) return null;
  const [{ name, description, fit }, ...others] = found;
  return { name, description, evidence: evidenceOf(fit), twins: others.map((other) => other.name) };
}

function evidenceOf({ wrong, undecided, right, worst }) {
  const rest = right ? ` and ${right} of ${right} right ones` : "";
  return `it reproduces ${wrong} of ${wrong + undecided} failing steps${rest}, to within ${Number(worst.toPrecision(2))} tolerances of rounding`;
}

// How the k-th suspect explains the runs; null where a step is not right by it.
function fitted(how, runs, k) {
  const fit = { wrong: 0, right: 0, undecided: 0, worst: 0, bits: 0 };
  for (const run of runs) {
    const answer = suspectAnswers(run.vector)[k];
    if (answer === null) return null;
    for (const step of run.steps) {
      if (step.isKnown && !(how(run, answer, step, fit) ?? false)) return null;
    }
  }
  return fit;
}

// Whether the k-th suspect, in floats, goes about where the port went: a certified answer may say little.
function likely(runs, k) {
  return runs.every((run) => {
    const answer = suspectAnswers(run.vector)[k];
    return answer !== null && run.steps.every((step) => !step.isKnown || isNear(run, answer.floats, step.places));
  });
}

function isNear({ iterates, high, tolerance }, floats, places) {
  const error = Math.max(...places.map((i) => Math.abs(iterates[i] - high[i])));
  return places.every((i) => {
    const near = Math.abs(floats[i] - iterates[i]) <= Math.max(NEAR * tolerance[i], NEARER * error);
    return near || (Number.isNaN(floats[i]) && Number.isNaN(iterates[i]));
  });
}

// By the suspect's certified answer.
function certain(run, answer, step, fit) {
  if (!answer.tolerance) return false;
  const entry = (i) => {
    const x = run.iterates[i], middle = answer.floats[i] + answer.shift[i], tolerance = answer.tolerance[i];
    const off = Math.abs(middle - run.high[i]);
    return { gap: gapOf(x, answer.floats[i], answer.shift[i]), off: Number.isNaN(off) ? 0 : off, tolerance, doubt: tolerance };
  };
  return agrees(run, step, step.places.map((i) => ({ i, ...entry(i) })), fit);
}

// By the suspect's very numbers in floats, within the tolerance of the right answer.
function alike(run, answer, step, fit) {
  const entry = (i) => {
    const off = Math.abs(answer.floats[i] - run.high[i]);
    return { gap: gapOf(run.iterates[i], answer.floats[i], 0), off: Number.isNaN(off) ? Infinity : off, tolerance: run.tolerance[i], doubt: 0 };
  };
  return agrees(run, step, step.places.map((i) => ({ i, ...entry(i) })), fit);
}

function gapOf(x, high, low) {
  if (Number.isFinite(high)) return farFrom(x, high, low);
  return Number.isFinite(x) ? Infinity : 0;
}

function agrees(run, step, entries, fit) {
  const ratio = Math.max(...entries.map(({ gap, tolerance }) => (gap === 0 ? 0 : gap / tolerance)));
  if (!(ratio <= 1)) return false;
  const excluded = entries.filter(({ i, off, doubt }) => off > doubt + run.tolerance[i]);
  if (!step.wrong) {
    fit.right += entries.every(({ tolerance }) => Number.isFinite(tolerance)) ? 1 : 0;
  } else if (excluded.length) {
    fit.wrong += 1;
    fit.worst = Math.max(fit.worst, ratio);
    fit.bits += excluded.reduce((sum, { off, tolerance }) => sum + Math.min(Math.log2(off / tolerance), MOST), 0);
  } else {
    fit.undecided += 1;
  }
  return true;
}
