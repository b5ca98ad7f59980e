/* What a fleet costs under each strategy: the same as harness/curves/bill.py, from the same coefficients. */
"use strict";

/* The driver of the fleets. */
const REFERENCE = "psycopg2";

/* The value at a position: on the line between the neighbouring knots, or beyond them on the last line. */
function atKnots(knots, where) {
  if (knots.length === 1) return knots[0][1] * where / knots[0][0];
  const last = knots.length - 1;
  const after = knots.findIndex(([number], place) => place > 0 && (where <= number || place === last));
  const [[from, low], [to, high]] = [knots[after - 1], knots[after]];
  return low + (high - low) * (where - from) / (to - from);
}

/* The share of a worker’s life below which its start and end do not matter. */
const SHARE = 0.01;

/* The factors of driver and pooler for a strategy; undefined if they were not measured. */
function factorsOf(known, { driver, pooler }, costs) {
  let found = { ratio: 1, once: 0, saved: 0, memory: 0, memory_once: 0, round_trips: costs.round_trips };
  if (driver !== REFERENCE) found = (known.drivers[driver] || {})[costs.strategy];
  if (!found || !pooler) return found;
  const behind = (known.poolers[driver] || {})[costs.strategy];
  return behind && { ...found, saved: behind.saved, round_trips: behind.round_trips };
}

/* `request` has workers, parent_mib, kind, distance, task in seconds (null without one), tasks, driver and pooler. */
function billOf(known, request) {
  const { workers, distance, task, tasks } = request;
  const data = request.parent_mib ? known.data.find((each) => each.kind === request.kind) : null;
  return known.strategies.flatMap((costs) => {
    const found = factorsOf(known, request, costs);
    if (!found) return [];
    const forked = costs.forked ? workers : 0;
    const far = found.round_trips * distance;
    const saved = found.saved * Math.max(Math.min(workers, known.cores), workers / known.cores);
    let ready = atKnots(costs.ready, workers) * found.ratio + found.once - saved + far;
    let life = costs.life * found.ratio - found.saved + far;
    let memory = atKnots(costs.memory, workers) + workers * found.memory + found.memory_once;
    let collected = request.driver === REFERENCE ? atKnots(costs.collected, workers) : null;
    if (data) {
      const gib = request.parent_mib / 1024;
      const each = costs.forked ? atKnots(data.fork, gib) : 0;
      const held = gib * 2 ** 30 + data.library + data.tables * gib * (1 + forked);
      ready += forked * each + (costs.forked ? atKnots(data.once, gib) : 0);
      life += each;
      memory += held;
      if (collected !== null) collected += held + forked * data.copied;
    }
    return [{
      strategy: costs.strategy,
      ready,
      memory,
      memory_collected: collected,
      connections: costs.pooled ? workers + 1 : 0,
      start_share: task === null ? null : life / (life + task * tasks),
      long_enough: life * (1 - SHARE) / SHARE,
    }];
  });
}

/* Which values exceed those that were measured. */
function extrapolated(known, request) {
  const data = known.data.find((each) => each.kind === request.kind);
  const found = [];
  if (request.workers > known.largest) found.push(`more than ${known.largest} workers`);
  if (data && request.parent_mib > data.largest) found.push(`more than ${data.largest / 1024} GiB of data in the parent`);
  if (request.distance > known.farthest) found.push(known.farthest ? `a round trip of more than ${known.farthest * 1000} ms` : "a server at a distance");
  return found;
}

function showBill(known, request) {
  const figure = (value) => value >= 99.5 ? value.toFixed(0) : value.toFixed(1);
  const section = document.getElementById("bill");
  section.hidden = false;
  section.querySelector("table").classList.toggle("untimed", request.task === null);
  section.querySelector("tbody").replaceChildren(...billOf(known, request).map((bill) => {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = bill.strategy;
    const share = bill.start_share === null ? "" : `${(100 * bill.start_share).toFixed(1)} %`;
    const collected = bill.memory_collected === null ? "" : figure(bill.memory_collected / 2 ** 20);
    const texts = [figure(bill.ready * 1000), figure(bill.memory / 2 ** 20), collected, bill.connections, figure(bill.long_enough), share];
    row.replaceChildren(name, ...texts.map((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
  const beyond = extrapolated(known, request);
  const missing = known.strategies.filter((costs) => !factorsOf(known, request, costs)).map((costs) => costs.strategy);
  section.querySelector("p").textContent = [
    `From fleets of 1 to ${known.largest} workers under Python ${known.python}${request.session ? ", without the pooler" : ""}${beyond.length ? `; extrapolated: ${beyond.join(", ")}` : ""}.`,
    request.driver === REFERENCE && !request.pooler ? "" : "What driver and pooler change was measured with a single worker, and is computed for a fleet.",
    known.said[request.driver + (request.pooler ? " pooler" : "")],
    missing.length ? `Not measured with ${request.driver}${request.pooler ? " behind PgBouncer" : ""}, and so not shown: ${missing.join(", ")}.` : "",
  ].filter(Boolean).join(" ");
}
