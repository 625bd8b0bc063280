// Puts the questions to a step that somebody wrote. It runs in a worker: what never comes back is ended from outside.

const HYPER = ["learning_rate", "radius", "projection_rate", "projection_steps"];

// The function `step` that a text defines, new: it remembers nothing of earlier questions.
function stepOf(code) {
  const step = new Function(`${code}\n;return typeof step === "function" ? step : undefined;`)();
  if (step === undefined) throw new Error("the code defines no function called step");
  return step;
}

// What comes back, as an array of numbers; a sentence is thrown where it is something else.
function placeOf(answer, d) {
  const place = ArrayBuffer.isView(answer) ? Array.from(answer) : answer;
  if (!Array.isArray(place)) throw new Error(`step returned ${answer === null ? "null" : typeof answer}, not an array`);
  if (place.length !== d) throw new Error(`step returned ${place.length} numbers, expected ${d}`);
  if (!place.every((x) => typeof x === "number")) throw new Error("step returned an array of what is not all numbers");
  return place;
}

// The iterates of a run, or why there are none.
function answerTo(code, question, terms) {
  try {
    const step = stepOf(code), iterates = [];
    const loss = (place) => evaluated(terms, placeAsked(place, question.theta.length));
    let theta = question.theta;
    for (let t = 0; t < question.iterations; t++) {
      const hyper = question.hyper[t % question.hyper.length];
      theta = placeOf(step(loss, theta.slice(), Object.fromEntries(HYPER.map((name) => [name, hyper[name]]))), theta.length);
      iterates.push(theta.slice());
    }
    return { id: question.id, iterates };
  } catch (error) {
    return { id: question.id, problem: `raised ${error?.name ?? "an exception"}: ${String(error?.message ?? error).slice(0, 200)}` };
  }
}

function placeAsked(place, d) {
  const numbers = ArrayBuffer.isView(place) ? Array.from(place) : place;
  if (!Array.isArray(numbers) || numbers.length !== d || !numbers.every((x) => typeof x === "number")) {
    throw new Error(`loss was called with something else than an array of ${d} numbers`);
  }
  return numbers;
}
