/* Shows the strategy for the answers, its code, verdicts and costs. The answers are part of the address. */
"use strict";

/* The text of a program, which is stored as the numbers of its lines. */
function textOf(data, number) {
  return data.texts[number].map((line) => data.lines[line]).join("\n");
}

function showList(list, items) {
  list.replaceChildren(...items.map((content) => {
    const item = document.createElement("li");
    item.append(...[content].flat());
    return item;
  }));
}

/* The code of every strategy, with the driver, the pooler, the data and the number of workers that were chosen. */
function showCode(data, variant, count, executor) {
  each(".strategy", (card) => {
    const [pool, worker, futures] = data.code[card.id][variant].map((number) => textOf(data, number));
    const [first, second] = card.querySelectorAll(".code figure");
    first.querySelector("figcaption").textContent = executor ? "A ProcessPoolExecutor" : "A pool of workers";
    first.querySelector("code").textContent = (executor ? futures : pool).replace(/(Pool|PoolExecutor)\(4/, `$1(${count}`);
    second.querySelector("code").textContent = worker;
    second.hidden = executor;
  });
}

/* The lines for a program that starts its workers itself, and the conditions under which they suffice. */
function showProgram(data, program, title, name, variant, answers, count) {
  const section = document.getElementById("hook");
  section.querySelector("h2").textContent = `What to add to ${title}`;
  const sentences = [];
  const severed = answers.conditions === "in_use" ? program.severed[variant] : undefined;
  if (severed !== undefined) {
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
  link.href = severed !== undefined ? "sever.html" : `programs.html#${name}`;
  link.textContent = severed !== undefined ? "Its module to copy, with its limits" : "What was measured with and without these lines";
  const number = document.createElement("code");
  number.textContent = program.count.replace("{workers}", count);
  section.querySelector("p").replaceChildren(`${sentences.join(" ")} `, number, `: ${count} ${count === 1 ? "worker" : "workers"}. `, link, ".");
  section.querySelector("pre").textContent = variant in program.lines ? textOf(data, severed ?? program.lines[variant]) : "Not tried with this driver.";
}

/* The failures with a combination: its verdict (the cards have that of the reference), and its pooler. */
function wrongOf(data, combination, key, strategy, mode) {
  const items = [];
  const verdict = data.verdicts[combination.verdicts[strategy]];
  if (verdict) {
    const [text, hazards] = verdict;
    const links = hazards.flatMap((hazard) => {
      const link = document.createElement("a");
      link.href = `symptoms/${hazard}.html`;
      link.textContent = hazard;
      return [", ", link];
    });
    items.push(links.length ? [`${text} Affected by: `, ...links.slice(1), "."] : text);
  }
  return [...items, ...(data.poolers[`${key} ${mode}`] || []).map((number) => data.sentences[number])];
}

/* `cost` is undefined without a figure; `kept` is what keeps connections open. */
function costsOf(data, strategy, cost, again, program, kept, count, limit, distance) {
  const figure = (value) => value >= 99.5 ? value.toFixed(0) : value.toFixed(1);
  const known = (value) => value !== null && value !== undefined;
  const mebibytes = (bytes) => `${figure(bytes * count / 2 ** 20)} MiB`;
  const noun = count === 1 ? "worker" : "workers";
  const [pooled, behind] = [kept === "pool" && data.pooled[strategy], kept === "session" || kept === "transaction"];
  const sentences = [];
  if (program) {
    if (program.unique !== null) sentences.push(`Memory of ${count} ${noun}, with a small application: up to ${mebibytes(program.unique)}.`);
  } else if (known(cost?.unique)) {
    const collected = known(cost.collected) ? `, ${mebibytes(cost.collected)} after a full garbage collection in each` : "";
    sentences.push(`Memory of ${count} ${noun}: ${mebibytes(cost.unique)}${collected}.`);
  }
  const [size, overflow, reserved] = data.pool;
  const perWorker = pooled ? size + overflow : 1;
  const total = count * perWorker;
  const free = Math.max(0, limit - reserved);
  const most = perWorker > 1 ? `${count} × (${size} + ${overflow}) = ${total}` : `${total}`;
  let verdict = `the server has ${total > free ? "only " : ""}${free} for ordinary roles`;
  if (behind) verdict += ", and a pooler such as PgBouncer needs fewer of them";
  else if (total > free) verdict += perWorker > 1 ? `: a worker that does one thing at a time needs create_engine(..., pool_size=1, max_overflow=0), ${count} in all${count > free ? ", still too many" : ""}` : ": use fewer workers, or a pooler";
  sentences.push(`Connections of ${count} ${noun}, at most: ${most}; ${verdict}.`);
  const first = program ? program.first : cost?.first;
  if (known(first) && known(cost?.trips)) {
    const added = cost.trips * distance;
    const trips = distance ? `of which ${figure(added)} ms are ${cost.trips} round trips of ${distance} ms` : `with ${cost.trips} round trips to a server on the same machine`;
    const since = program ? `, from ${program.clock.replaceAll("`", "")}` : "";
    sentences.push(`First row${since}${behind ? ", without the pooler" : ""}: ${figure(first * 1e3 + added)} ms, ${trips}.`);
  }
  if (!pooled && again) {
    const [seconds, more] = again;
    sentences.push(`Without a pool in the worker each further query connects again: ${figure(seconds * 1e3 + more * distance)} ms more than with one, ${more} round trips${behind ? ", without the pooler" : ""}.`);
  }
  return sentences;
}

each("#choose", (form) => {
  form.hidden = false;
  const decisions = JSON.parse(form.dataset.decisions);
  const data = JSON.parse(document.getElementById("details-data").textContent);
  const details = document.getElementById("details");
  const { program, driver, python, workers, limit, distance } = details.elements;
  const names = [...new Set([...form.elements].map((field) => field.name).filter(Boolean))];
  names.forEach((name) => {
    /* Older links say only that there is a pooler. */
    const wanted = address.searchParams.get(name)?.replace("pooler", "transaction");
    each(`input[name=${name}]`, (field) => { if (field.value === wanted) field.checked = true; }, form);
  });
  const number = (field, least) => Math.max(least, Number(field.value) || least);
  const decide = () => {
    const answers = Object.fromEntries(names.map((name) => [name, form.elements[name].value]));
    const kept = answers.connections;
    const coded = driver.selectedOptions[0].dataset.code;
    /* Rare connections are not pooled either, as in session mode. */
    const variant = `${coded}.${kept === "rare" ? "session" : kept}.${answers.data === "objects" ? "objects" : "none"}`;
    const count = Math.floor(number(workers, 1));
    const [rule, notes] = decisions[Object.values(answers).join(".")];
    /* A program that starts its workers itself leaves no choice; the rules are for other programs. */
    const given = program.value ? data.programs[program.value] : null;
    const own = given && given.starts ? given : null;
    /* The programs were tried with drivers that are used synchronously. */
    const tried = variant in data.programs[program.options[1].value].lines ? variant : variant.replace(coded, driver.options[0].value);
    const severs = own && answers.conditions === "in_use" && own.severed[variant] !== undefined;
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
    const key = `${driver.value} ${python.value}`;
    const [combination, reference] = [data.combinations[key], data.combinations[data.reference]];
    const other = combination !== reference;
    /* Figures and verdicts of the cards are those of the reference. */
    each(".strategy .reference", (part) => { part.hidden = other; });
    const wrong = wrongOf(data, combination, key, chosen, kept);
    document.getElementById("wrong").hidden = !wrong.length;
    showList(document.querySelector("#wrong ul"), wrong);
    document.getElementById("costs").hidden = false;
    /* Programs were measured with the reference. */
    const measured = own ? reference : combination;
    const costs = costsOf(data, chosen, measured.costs[chosen], measured.again, own, kept, count, Math.floor(number(limit, 0)), number(distance, 0));
    if (other && own) costs.push(`Measured with ${reference.title}, not with ${combination.title}.`);
    if (other) costs.push(`How long a worker must live, in the questions and rules, was measured with ${reference.title}.`);
    /* A strategy that was not measured with the others. */
    const missing = !own && combination.costs[chosen]?.first === null;
    if (missing) costs.push(`What a worker costs with this strategy, ${combination.title}: not measured.`);
    showList(document.querySelector("#costs ul"), costs);
    document.getElementById("measured").textContent = own || missing ? "" : data.sentences[combination.source];
    if (data.bill) {
      const gib = details.elements.gib ? number(details.elements.gib, 0) : 0;
      const task = number(details.elements.task, 0) || null;
      const tasks = Math.floor(number(details.elements.tasks, 1));
      const kind = details.elements.kind ? details.elements.kind.value : "dataframe";
      showBill(data.bill, { workers: count, parent_mib: gib * 1024, kind, distance: number(distance, 0) / 1000, task, tasks, driver: driver.value, pooler: kept === "transaction", session: kept === "session" });
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
