/* Two releases side by side, from the figures in the page. */
"use strict";

each("#compare", (form) => {
  const data = JSON.parse(document.getElementById("compare-data").textContent);
  const status = document.getElementById("compare-status");
  const root = document.getElementById("compared");
  const { before, after } = form.elements;
  const percent = (ratio) => {
    const change = ((ratio - 1) * 100).toFixed(1);
    return `${change.startsWith("-") ? "−" : "+"}${change.replace("-", "")} %`;
  };
  const element = (name, content = [], attributes = {}) => {
    const made = document.createElement(name);
    made.append(...[content].flat());
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  };
  const link = (at, text) => element("a", text, { href: form.dataset.release.replace("*", data.releases[at]) });
  const head = (title) => element("th", title, { scope: "row" });
  const cell = (label, content, css) => element("td", content, { ...(css && { class: css }), "data-label": label });
  const row = (moved, cells) => element("tr", cells, moved ? {} : { class: "same" });
  const product = (steps) => steps.reduce((all, step) => all * step[3], 1);
  const level = (runs, at) => runs.findLast(([first]) => first <= at)[1];

  const show = (first, second) => {
    const [older, newer] = [data.releases[first], data.releases[second]];
    root.querySelector("h2").textContent = `${older} → ${newer}`;
    root.querySelector(".upgrade").hidden = first < data.psycopg2 === second < data.psycopg2;
    root.querySelector(".pair").textContent = `${older} ${newer}`;
    const heads = root.querySelectorAll(".compared thead th");
    [heads[2].textContent, heads[3].textContent] = [older, newer];
    const between = data.steps.filter(([at]) => at > first && at <= second);
    const summary = [];
    const rows = [];
    data.metrics.forEach(({ title, unit, levels, detectable }, metric) => {
      const steps = between.filter((step) => step[1] === metric);
      const totals = data.strategies.map((_, number) => steps.filter((step) => step[2] === number)).filter((own) => own.length).map(product);
      const [low, high] = [Math.min(...totals), Math.max(...totals)].map(percent);
      summary.push(row(totals.length, [
        head(title),
        cell("detectable from", detectable),
        cell("change", totals.length ? [low === high ? low : `${low} to ${high}`, " ", element("small", `for ${totals.length} of ${data.strategies.length} strategies`)] : "none found"),
        cell("in release", [...new Set(steps.map(([at]) => at))].flatMap((at) => [link(at, data.releases[at]), " "])),
      ]));
      data.strategies.forEach((strategy, number) => {
        const [one, other] = [first, second].map((at) => level(levels[number], at));
        if (one === null || other === null) return;
        const own = steps.filter((step) => step[2] === number);
        rows.push(row(own.length, [
          head(title),
          cell("strategy", element("code", strategy)),
          cell(older, [`${one} `, element("small", unit)], "number"),
          cell(newer, [`${other} `, element("small", unit)], "number"),
          cell("change", own.length ? percent(product(own)) : "", "number"),
          cell("steps", own.flatMap((step) => [link(step[0], `${data.releases[step[0]]} ${percent(step[3])}`), " "])),
        ]));
      });
    });
    root.querySelector(".summary tbody").replaceChildren(...summary);
    root.querySelector(".compared tbody").replaceChildren(...rows);
  };

  /* The chosen releases, or the reason why there is nothing to show. */
  const fields = [before, after];
  const chosen = fields.map((field) => address.searchParams.get(field.name) || [...field.options].find((option) => option.defaultSelected).value);
  const update = () => {
    const unknown = chosen.filter((version) => !data.releases.includes(version));
    if (!unknown.length) chosen.sort((one, other) => data.releases.indexOf(one) - data.releases.indexOf(other));
    fields.forEach((field, number) => { field.value = chosen[number]; });
    let message = "";
    if (unknown.length) message = `SQLAlchemy ${unknown.join(" and ")} was not measured here. Choose another release above.`;
    else if (chosen[0] === chosen[1]) message = "This is one release twice. Choose another one above.";
    status.textContent = message;
    status.hidden = !message;
    root.hidden = Boolean(message);
    if (!message) show(...chosen.map((version) => data.releases.indexOf(version)));
  };
  fields.forEach((field, number) => {
    field.disabled = false;
    field.addEventListener("change", () => {
      chosen[number] = field.value;
      update();
      fields.forEach(({ name }, at) => remember(name, chosen[at]));
    });
  });
  if (data.releases.length > 1) update();
});
