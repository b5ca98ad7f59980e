/* All pages can be read without this script: it sorts and recommends. */
"use strict";

const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);
const address = new URL(location.href);

function remember(name, value) {
  if (value) address.searchParams.set(name, value);
  else address.searchParams.delete(name);
  address.hash = location.hash;
  history.replaceState(null, "", address);
}

/* Lists that lead to another page. */
each("select[data-go]", (select) => {
  select.addEventListener("change", () => {
    location.href = select.dataset.go.replace("*", select.value);
  });
});

/* Sorting: strategies that share a connection stay in a group of their own. */
each("table.sortable", (table) => {
  const heads = [...table.tHead.rows[0].cells];
  const sort = (head, direction) => {
    const column = heads.indexOf(head);
    const value = (row) => {
      const cell = row.cells[column];
      const text = cell.dataset.sort ?? cell.querySelector("b")?.textContent;
      return text === undefined ? Infinity : Number(text);
    };
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => row.cells.length > 1);
      rows.sort((a, b) => direction * (value(a) - value(b)) || 0);
      body.append(...rows);
    }
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };
  heads.forEach((head) => {
    if (!head.dataset.key) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      sort(head, direction);
      remember("sort", `${table.dataset.name}.${head.dataset.key}.${direction > 0 ? "up" : "down"}`);
    });
  });
  const [name, key, way] = (address.searchParams.get("sort") || "").split(".");
  const wanted = name === table.dataset.name && heads.find((head) => head.dataset.key === key);
  if (wanted) sort(wanted, way === "down" ? -1 : 1);
});

/* The recommendation: the answers are part of the address. */
function applyDetails(chosen, form) {
  const details = document.getElementById("details");
  const data = JSON.parse(document.getElementById("details-data").textContent);
  const { program, driver, workers, limit, distance } = details.elements;
  const pooler = form.elements.connections.value === "pooler";
  const objects = form.elements.data.value === "objects";
  const variant = `${driver.value}.${pooler ? "pooler" : "pool"}.${objects ? "objects" : "none"}`;
  const count = Math.max(1, Math.floor(Number(workers.value)) || 1);
  each(".strategy", (card) => {
    const texts = data.code[card.id][variant];
    each("pre code", (place) => { place.textContent = texts.shift().replace("context.Pool(4", `context.Pool(${count}`); }, card);
  });

  const hook = document.getElementById("hook");
  hook.hidden = !program.value;
  if (program.value) {
    const title = program.selectedOptions[0].textContent;
    hook.querySelector("h2").textContent = `What to add to ${title}`;
    const link = document.createElement("a");
    link.href = `programs.html#${program.value}`;
    link.textContent = "What was measured with and without these lines";
    const lines = data.hooks[program.value];
    hook.querySelector("p").replaceChildren(lines ? "It starts its workers itself: these lines take the place of the code below. " : "It needs no lines: each worker loads the application itself. ", link, ".");
    const block = hook.querySelector("pre");
    block.hidden = !lines;
    block.textContent = lines;
  }

  const cost = data.costs[chosen];
  const section = document.getElementById("costs");
  section.hidden = !cost;
  if (!cost) return;
  const figure = (value) => value >= 99.5 ? value.toFixed(0) : value.toFixed(1);
  const mebibytes = (bytes) => `${figure(bytes * count / 2 ** 20)} MiB`;
  const noun = count === 1 ? "worker" : "workers";
  const sentences = [];
  if (cost.unique !== null) {
    const collected = cost.collected === null ? "" : `, ${mebibytes(cost.collected)} after a full garbage collection in each`;
    sentences.push(`Memory of ${count} ${noun}: ${mebibytes(cost.unique)}${collected}.`);
  }
  const [size, overflow, reserved] = data.pool;
  const each_one = cost.pooled && !pooler ? size + overflow : 1;
  const total = count * each_one;
  const free = Math.max(0, Math.floor(Number(limit.value)) - reserved);
  const kept = each_one > 1 ? `${count} × (${size} + ${overflow}) = ${total}` : `${total}`;
  const verdict = total <= free ? `the server has ${free} for ordinary roles` : `the server has only ${free} for ordinary roles${each_one > 1 ? `: a worker that does one thing at a time needs create_engine(..., pool_size=1, max_overflow=0), ${count} in all${count > free ? ", still too many" : ""}` : ": use fewer workers, or a pooler"}`;
  sentences.push(`Connections of ${count} ${noun}, at most: ${kept}; ${verdict}.`);
  if (cost.first !== null && cost.trips !== null) {
    const away = Math.max(0, Number(distance.value) || 0);
    const added = cost.trips * away;
    sentences.push(away ? `First row: ${figure(cost.first * 1e3 + added)} ms, of which ${figure(added)} ms are ${cost.trips} round trips of ${away} ms.` : `First row: ${figure(cost.first * 1e3)} ms, with ${cost.trips} round trips to a server on the same machine.`);
  }
  if (driver.selectedIndex) sentences.push(`Measured with ${driver.options[0].text}, not with ${driver.selectedOptions[0].text}.`);
  section.querySelector("ul").replaceChildren(...sentences.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}

each("#choose", (form) => {
  form.hidden = false;
  const decisions = JSON.parse(form.dataset.decisions);
  const names = [...new Set([...form.elements].map((field) => field.name).filter(Boolean))];
  names.forEach((name) => {
    const wanted = address.searchParams.get(name);
    each(`input[name=${name}]`, (field) => { if (field.value === wanted) field.checked = true; }, form);
  });
  const decide = () => {
    const answers = names.map((name) => form.elements[name].value);
    const [rule, notes] = decisions[answers.join(".")];
    each("[data-rule]", (item) => item.classList.toggle("chosen", item.dataset.rule === String(rule)));
    each("[data-note]", (item) => { item.hidden = !notes.includes(item.dataset.note); });
    const chosen = document.querySelector(`[data-rule="${rule}"] a`).hash.slice(1);
    each(".strategy", (card) => card.classList.toggle("chosen", card.id === chosen));
    const card = document.getElementById(chosen);
    const first = document.querySelector(".strategy");
    if (first !== card) first.before(card);
    const decision = document.getElementById("decision");
    decision.replaceChildren();
    const link = document.createElement("a");
    link.href = `#${chosen}`;
    link.textContent = card.dataset.title;
    decision.append("For this program: ", link, ".");
    applyDetails(chosen, form);
    return names.map((name, number) => [name, answers[number]]);
  };
  form.addEventListener("change", () => decide().forEach(([name, value]) => remember(name, value)));
  each("#details", (details) => {
    details.hidden = false;
    each("select, input", (field) => {
      const wanted = address.searchParams.get(field.name);
      if (wanted !== null) field.value = wanted;
      field.addEventListener("input", () => { decide(); remember(field.name, field.value); });
    }, details);
    details.addEventListener("submit", (event) => event.preventDefault());
  });
  decide();
});

/* Control cells. */
each("input[data-toggle]", (box) => {
  const show = () => each(".control", (figure) => { figure.hidden = !box.checked; });
  const section = document.getElementById("controls");
  box.checked = address.searchParams.has(box.dataset.toggle);
  const apply = () => { show(); if (section) section.hidden = !box.checked; };
  box.addEventListener("change", () => { apply(); remember(box.dataset.toggle, box.checked ? "on" : ""); });
  apply();
});
