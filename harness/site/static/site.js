/* All pages can be read without this script: it sorts, and leads to other pages. */
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

/* Control cells. */
each("input[data-toggle]", (box) => {
  const show = () => each(".control", (figure) => { figure.hidden = !box.checked; });
  const section = document.getElementById("controls");
  box.checked = address.searchParams.has(box.dataset.toggle);
  const apply = () => { show(); if (section) section.hidden = !box.checked; };
  box.addEventListener("change", () => { apply(); remember(box.dataset.toggle, box.checked ? "on" : ""); });
  apply();
});
