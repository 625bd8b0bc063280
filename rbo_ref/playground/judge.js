// Verdicts on answers, from the vectors alone: right is what is within the tolerance of the truth.

const NUMBERS = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity };

// The verdict on the lines of a file of answers.
function judgeFile(questions, text) {
  const results = [], answers = new Map();
  text.split(/\r\n|[\n\r]/).forEach((line, i) => {
    if (!line.trim()) return;
    const read = readLine(questions, line, answers);
    if (read.problem !== undefined) return results.push({ id: read.id ?? `line ${i + 1}`, verdict: read.verdict ?? "fail", message: read.problem });
    answers.set(read.vector.id, read.answer);
    results.push(verdictOn(read.vector, read.answer));
  });
  return judgement(questions, results, answers);
}

// The verdict on what a step answered: objects with an id and iterates, or a problem.
function judgeAnswers(questions, given) {
  const results = [], answers = new Map(), known = vectorsOf(questions);
  for (const { id, iterates, problem, verdict } of given) {
    const vector = known.get(id);
    if (problem !== undefined) {
      results.push({ id, kind: vector.kind, verdict: verdict ?? "fail", message: problem });
    } else {
      const answer = { iterates: iterates.flat() };
      answers.set(id, answer);
      results.push(verdictOn(vector, answer));
    }
  }
  return judgement(questions, results, answers);
}

function vectorsOf(questions) {
  questions.known ??= new Map(questions.vectors.map((vector) => [vector.id, vector]));
  return questions.known;
}

function judgement(questions, results, answers) {
  const answered = [...answers.keys()].map((id) => vectorsOf(questions).get(id));
  const begun = new Set(answered.map((vector) => `${vector.reading} ${vector.kind}`)); // what a port claims by its answers
  const owed = questions.vectors
    .filter((vector) => vector.must && !answers.has(vector.id) && begun.has(`${vector.reading} ${vector.kind}`))
    .map((vector) => vector.id);
  const count = (verdict) => results.filter((result) => result.verdict === verdict).length;
  const counts = { pass: count("pass"), fail: count("fail"), undecidable: count("undecidable"), skipped: count("skipped") };
  return { verdict: verdictOf(counts, owed.length + counts.skipped), counts, results, owed, diagnosis: named(questions, answers, results), answers };
}

function verdictOf(counts, unanswered) {
  if (counts.fail) return "WRONG";
  if (!counts.pass) return "NOTHING DECIDED";
  return unanswered ? "INCOMPLETE" : "RIGHT";
}

// --- reading ---------------------------------------------------------------------------------------------------------

function readLine(questions, line, answers) {
  const record = parsedLine(line);
  if (record === undefined) return { problem: "not JSON" };
  if (record === null || typeof record !== "object" || typeof record.id !== "string") {
    return { problem: "an answer is an object with an id, and the numbers by their names" };
  }
  const vector = vectorsOf(questions).get(record.id), id = record.id.slice(0, 100);
  if (!vector) return { id, ...stranger(questions, record.id) };
  if (answers.has(record.id)) return { id, problem: "is answered twice" };
  const names = Object.keys(record).filter((name) => name !== "id");
  if (names.length === 0 || names.some((name) => !Object.hasOwn(vector.parts, name))) {
    return { id, problem: `expected ${Object.keys(vector.parts).join(" or ")}, got ${names.join(", ").slice(0, 100) || "nothing"}` };
  }
  const answer = {};
  for (const name of names) {
    const numbers = numbersOf(record[name], vector.parts[name].shape);
    if (typeof numbers === "string") return { id, problem: `${name}: ${numbers}` };
    answer[name] = numbers;
  }
  return { vector, answer };
}

// NaN and Infinity, which JSON has not, are numbers all the same: wrong ones.
function parsedLine(line) {
  for (const text of [line, line.replace(/(?<![\w"])-?(?:NaN|Infinity)(?![\w"])/g, (word) => `"${word}"`)]) {
    try {
      return JSON.parse(text);
    } catch {
      continue;
    }
  }
  return undefined;
}

// An id that is not of this page: of the whole set it may be, and then nothing is said about it.
function stranger(questions, id) {
  const known = /^[a-z-]+\.[a-z]+\.[a-z0-9-]+\.[a-z-]+\.(float32|float16|bfloat16|float64)$|^footpoint\./.test(id);
  const ours = id.startsWith("rolling-ball.") && id.endsWith(".float64");
  if (!known || ours) return { problem: "there is no such vector" };
  return { verdict: "skipped", problem: "this page judges the Rolling Ball Optimizer in float64; rbo-ref vectors judges all" };
}

// Nested lists of numbers, or of bit patterns, as a flat array, or a sentence.
function numbersOf(value, shape) {
  const flat = flattened(value, shape);
  if (flat === null) return `expected lists of shape (${shape.join(", ")})`;
  const texts = flat.filter((x) => typeof x === "string");
  if (texts.length === flat.length && texts.every((x) => !Object.hasOwn(NUMBERS, x))) {
    const doubles = flat.map(doubleOf);
    return doubles.includes(null) ? "expected bit patterns of float64, as 0x and 16 hexadecimal digits" : doubles;
  }
  const numbers = flat.map((x) => (typeof x === "string" && Object.hasOwn(NUMBERS, x) ? NUMBERS[x] : x));
  return numbers.every((x) => typeof x === "number") ? numbers : "expected numbers, or bit patterns of float64";
}

function flattened(value, shape) {
  if (shape.length === 0) return Array.isArray(value) ? null : [value];
  if (!Array.isArray(value) || value.length !== shape[0]) return null;
  const rows = value.map((row) => flattened(row, shape.slice(1)));
  return rows.includes(null) ? null : rows.flat();
}

// --- comparison ------------------------------------------------------------------------------------------------------

function verdictOn(vector, answer) {
  const errors = Object.entries(answer).map(([part, numbers]) => ({ part, ...worst(numbers, truthOf(vector, part)) }));
  const { part, ratio, error, tolerance } = errors.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const result = { id: vector.id, kind: vector.kind, error, tolerance, message: "" };
  if (ratio <= 1) return { ...result, verdict: vector.decidable ? "pass" : "undecidable" };
  const off = Number.isFinite(ratio) ? `off by ${rounded(ratio)} times the tolerance` : "NaN or infinite";
  return { ...result, verdict: "fail", message: `${part} is ${off}` };
}

const rounded = (x) => (x >= 1e5 ? x.toExponential(2) : String(Number(x.toPrecision(3))));

// The truth of a part of a vector: high + low, and how far from there an answer may be.
function truthOf(vector, part) {
  const told = vector.parts[part];
  told.truth ??= { high: doublesOf(told.high), low: doublesOf(told.low), tolerance: doublesOf(told.tolerance) };
  return told.truth;
}

// Of the entry that is farthest off in tolerances.
function worst(numbers, { high, low, tolerance }) {
  let found = { ratio: -1, error: 0, tolerance: 0 };
  numbers.forEach((x, i) => {
    const error = farFrom(x, high[i], low[i]), ratio = inTolerances(error, tolerance[i]);
    if (ratio > found.ratio) found = { ratio, error, tolerance: tolerance[i] };
  });
  return found;
}

function inTolerances(error, tolerance) {
  if (!Number.isFinite(tolerance) || error === 0) return 0;
  return error / tolerance;
}
