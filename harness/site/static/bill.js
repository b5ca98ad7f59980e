/* What a fleet costs under each strategy: the same as harness/curves/bill.py, from the same coefficients. */
"use strict";

/* The value at a number of workers: on the line between its neighbours, beyond them on the last line. */
function atWorkers(knots, workers) {
  if (knots.length === 1) return knots[0][1] * workers / knots[0][0];
  const last = knots.length - 1;
  const after = knots.findIndex(([number], place) => place > 0 && (workers <= number || place === last));
  const [[from, low], [to, high]] = [knots[after - 1], knots[after]];
  return low + (high - low) * (workers - from) / (to - from);
}

/* `request` has workers, parent_mib, kind, distance and task in seconds (null without one). */
function billOf(known, request) {
  const data = request.parent_mib ? known.data.find((each) => each.kind === request.kind) : null;
  return known.strategies.map((costs) => {
    const { workers, distance, task } = request;
    const forked = costs.forked ? workers : 0;
    let ready = atWorkers(costs.ready, workers) + costs.round_trips * distance;
    let alone = atWorkers(costs.ready, 1) + costs.round_trips * distance;
    let memory = atWorkers(costs.memory, workers);
    let collected = atWorkers(costs.collected, workers);
    if (data) {
      const gib = request.parent_mib / 1024;
      const each = costs.forked ? data.fixed + data.each * gib : 0;
      const held = gib * 2 ** 30 + data.library + data.tables * gib * (1 + forked);
      ready += forked * each;
      alone += each;
      memory += held;
      collected += held + forked * data.copied;
    }
    return {
      strategy: costs.strategy,
      ready,
      memory,
      memory_collected: collected,
      connections: costs.pooled ? workers + 1 : 0,
      start_share: task === null ? null : alone / (alone + task),
    };
  });
}

/* Which values exceed those that were measured. */
function extrapolated(known, request) {
  const data = known.data.find((each) => each.kind === request.kind);
  const found = [];
  if (request.workers > known.largest) found.push(`more than ${known.largest} workers`);
  if (data && request.parent_mib > data.largest) found.push(`more than ${data.largest / 1024} GiB of data`);
  if (request.distance > known.farthest) found.push(known.farthest ? `a round trip of more than ${known.farthest * 1000} ms` : "a server at a distance");
  return found;
}

function showBill(known, request) {
  const figure = (value) => value >= 99.5 ? value.toFixed(0) : value.toFixed(1);
  const section = document.getElementById("bill");
  section.hidden = false;
  section.querySelector("tbody").replaceChildren(...billOf(known, request).map((bill) => {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = bill.strategy;
    const share = bill.start_share === null ? "" : `${(100 * bill.start_share).toFixed(1)} %`;
    const texts = [figure(bill.ready * 1000), figure(bill.memory / 2 ** 20), figure(bill.memory_collected / 2 ** 20), bill.connections, share];
    row.replaceChildren(name, ...texts.map((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
  const beyond = extrapolated(known, request);
  section.querySelector("p").textContent = `From fleets of 1 to ${known.largest} workers${beyond.length ? `; extrapolated: ${beyond.join(", ")}` : ""}.`;
}
