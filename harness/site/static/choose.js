/* From the answers to a strategy, its code and its costs. The answers are part of the address. */
"use strict";

/* A text whose lines are given by their numbers. */
function textOf(data, numbers) {
  return numbers.map((number) => data.lines[number]).join("\n");
}

/* The code of every strategy, with the driver, the pooler, the data and the number of workers that were chosen. */
function showCode(data, variant, count, executor) {
  each(".strategy", (card) => {
    const [pool, worker, futures] = data.code[card.id][variant].map((number) => textOf(data, data.texts[number]));
    const [first, second] = card.querySelectorAll(".code figure");
    first.querySelector("figcaption").textContent = executor ? "A ProcessPoolExecutor" : "A pool of workers";
    first.querySelector("code").textContent = (executor ? futures : pool).replace(/(Pool|PoolExecutor)\(4/, `$1(${count}`);
    second.querySelector("code").textContent = worker;
    second.hidden = executor;
  });
}

/* The lines of a program that starts its workers itself, and what they rest on. */
function showProgram(data, program, title, name, variant, answers, count) {
  const section = document.getElementById("hook");
  section.querySelector("h2").textContent = `What to add to ${title}`;
  const sentences = [];
  const severed = answers.conditions === "in_use" && program.severed[variant];
  if (severed) {
    sentences.push("It forks its workers while connections may be in use: these are the lines of fork_sever, tried with this program.");
  } else if (program.starts === "fork") {
    const otherwise = program.instead ? `: ${program.instead.replaceAll("`", "")}, and each worker loads the application itself` : ": let the application open nothing before its workers are forked";
    if (answers.conditions === "in_use") sentences.push(`It forks its workers while connections may be in use, and these lines do not reach such a connection${otherwise}. fork_sever, which does, was not tried with this program, and does nothing under uWSGI.`);
    else sentences.push(answers.conditions === "hold" ? "It forks its workers, and fork’s conditions hold." : `It forks its workers, so fork’s conditions have to hold. If they may not${otherwise}.`);
  } else {
    sentences.push("Each worker loads the application itself, and inherits no connection.");
    if (answers.data !== "none") sentences.push("Workers share no data with another process: pass it as a file that all of them map (Arrow, numpy.memmap).");
  }
  const link = document.createElement("a");
  link.href = severed ? "sever.html" : `programs.html#${name}`;
  link.textContent = severed ? "Its module to copy, with its limits" : "What was measured with and without these lines";
  const number = document.createElement("code");
  number.textContent = program.count.replace("{workers}", count);
  section.querySelector("p").replaceChildren(`${sentences.join(" ")} `, number, `: ${count} ${count === 1 ? "worker" : "workers"}. `, link, ".");
  section.querySelector("pre").textContent = !(variant in program.lines) ? "Not tried with this driver." : textOf(data, severed || program.lines[variant]);
}

function costsOf(data, cost, program, pooler, driver, count, limit, distance) {
  const figure = (value) => value >= 99.5 ? value.toFixed(0) : value.toFixed(1);
  const mebibytes = (bytes) => `${figure(bytes * count / 2 ** 20)} MiB`;
  const noun = count === 1 ? "worker" : "workers";
  const sentences = [];
  if (program) {
    if (program.unique !== null) sentences.push(`Memory of ${count} ${noun}, with a small application: up to ${mebibytes(program.unique)}.`);
  } else if (cost.unique !== null) {
    const collected = cost.collected === null ? "" : `, ${mebibytes(cost.collected)} after a full garbage collection in each`;
    sentences.push(`Memory of ${count} ${noun}: ${mebibytes(cost.unique)}${collected}.`);
  }
  const [size, overflow, reserved] = data.pool;
  const perWorker = cost.pooled && !pooler ? size + overflow : 1;
  const total = count * perWorker;
  const free = Math.max(0, limit - reserved);
  const kept = perWorker > 1 ? `${count} × (${size} + ${overflow}) = ${total}` : `${total}`;
  let verdict = `the server has ${total > free ? "only " : ""}${free} for ordinary roles`;
  if (pooler) verdict += ", and a pooler such as PgBouncer needs fewer of them";
  else if (total > free) verdict += perWorker > 1 ? `: a worker that does one thing at a time needs create_engine(..., pool_size=1, max_overflow=0), ${count} in all${count > free ? ", still too many" : ""}` : ": use fewer workers, or a pooler";
  sentences.push(`Connections of ${count} ${noun}, at most: ${kept}; ${verdict}.`);
  const added = (cost.trips || 0) * distance;
  const trips = distance ? `of which ${figure(added)} ms are ${cost.trips} round trips of ${distance} ms` : `with ${cost.trips} round trips to a server on the same machine`;
  const [first, since] = program ? [program.first, `, from ${program.clock.replaceAll("`", "")}`] : [cost.first, ""];
  if (first !== null && cost.trips !== null) sentences.push(`First row${since}: ${figure(first * 1e3 + added)} ms, ${trips}.`);
  if (pooler || !cost.pooled) {
    const again = data.again[program ? driver.options[0].value : driver.value];
    if (again) {
      const [seconds, more] = again;
      sentences.push(`Without a pool in the worker each further query connects again: ${figure(seconds * 1e3 + more * distance)} ms more than with one, ${more} round trips.`);
    }
    if (pooler) sentences.push(data.pooler[driver.value] || "Measured without a pooler: one adds its own time to each connect and query, and saves the server’s to start a session.");
  }
  if (driver.selectedIndex) {
    if (program) sentences.push(`Measured with ${driver.options[0].text}, not with ${driver.selectedOptions[0].text}.`);
    else if (first === null) sentences.push(`What a worker costs with ${driver.selectedOptions[0].text}: not tried.`);
  }
  return sentences;
}

each("#choose", (form) => {
  form.hidden = false;
  const decisions = JSON.parse(form.dataset.decisions);
  const data = JSON.parse(document.getElementById("details-data").textContent);
  const details = document.getElementById("details");
  const { program, driver, workers, limit, distance } = details.elements;
  const names = [...new Set([...form.elements].map((field) => field.name).filter(Boolean))];
  names.forEach((name) => {
    const wanted = address.searchParams.get(name);
    each(`input[name=${name}]`, (field) => { if (field.value === wanted) field.checked = true; }, form);
  });
  const number = (field, least) => Math.max(least, Number(field.value) || least);
  const decide = () => {
    const answers = Object.fromEntries(names.map((name) => [name, form.elements[name].value]));
    const pooler = answers.connections === "pooler";
    const variant = `${driver.value}.${pooler ? "pooler" : "pool"}.${answers.data === "objects" ? "objects" : "none"}`;
    const count = Math.floor(number(workers, 1));
    const [rule, notes] = decisions[Object.values(answers).join(".")];
    /* A program that starts its workers itself leaves no choice: the rules are for the others. */
    const given = program.value ? data.programs[program.value] : null;
    const own = given && given.starts ? given : null;
    /* The programs were tried with drivers that are used synchronously. */
    const tried = variant in data.programs[program.options[1].value].lines ? variant : variant.replace(driver.value, driver.options[0].value);
    const severs = own && answers.conditions === "in_use" && own.severed[variant];
    const chosen = severs ? "fork_sever" : own ? own.strategy[tried] : document.querySelector(`[data-rule="${rule}"] a`).hash.slice(1);
    document.getElementById("rules").hidden = Boolean(own);
    each("[data-rule]", (item) => item.classList.toggle("chosen", item.dataset.rule === String(rule)));
    each("[data-note]", (item) => { item.hidden = !notes.includes(item.dataset.note); });
    each(".strategy", (card) => {
      card.classList.toggle("chosen", card.id === chosen);
      card.querySelector(".code").hidden = Boolean(own);
    });
    const card = document.getElementById(chosen);
    const first = document.querySelector(".strategy");
    if (first !== card) first.before(card);
    const link = document.createElement("a");
    link.href = `#${chosen}`;
    link.textContent = card.dataset.title;
    const title = program.selectedOptions[0].textContent;
    const lead = own && own.starts === "load" ? [`Workers of ${title} inherit nothing, as with `, link, "."] : [own ? `With ${title}: ` : "For this program: ", link, "."];
    document.getElementById("decision").replaceChildren(...lead);

    showCode(data, variant, count, Boolean(given && !own));
    document.getElementById("hook").hidden = !own;
    if (own) showProgram(data, own, title, program.value, variant, answers, count);
    const cost = data.costs[own ? driver.options[0].value : driver.value][chosen];
    /* Figures and verdicts of the cards are those of the first driver. */
    each(".strategy .reference", (part) => { part.hidden = Boolean(driver.selectedIndex); });
    const section = document.getElementById("costs");
    section.hidden = !cost;
    const sentences = cost ? costsOf(data, cost, own, pooler, driver, count, Math.floor(number(limit, 0)), number(distance, 0)) : [];
    if (data.verdicts[driver.value][chosen]) sentences.push(data.verdicts[driver.value][chosen]);
    section.querySelector("ul").replaceChildren(...sentences.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    if (data.bill) {
      const gib = details.elements.gib ? number(details.elements.gib, 0) : 0;
      const task = number(details.elements.task, 0) || null;
      const tasks = Math.floor(number(details.elements.tasks, 1));
      const kind = details.elements.kind ? details.elements.kind.value : "dataframe";
      showBill(data.bill, { workers: count, parent_mib: gib * 1024, kind, distance: number(distance, 0) / 1000, task, tasks, driver: driver.value, pooler });
    }
    return Object.entries(answers);
  };
  form.addEventListener("change", () => decide().forEach(([name, value]) => remember(name, value)));
  details.hidden = false;
  each("select, input", (field) => {
    const wanted = address.searchParams.get(field.name);
    if (wanted !== null) field.value = wanted;
    if (field.selectedIndex === -1) field.selectedIndex = 0;
    field.addEventListener("input", () => { decide(); remember(field.name, field.value); });
  }, details);
  details.addEventListener("submit", (event) => event.preventDefault());
  decide();
});
