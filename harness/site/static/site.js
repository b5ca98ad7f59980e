/* All pages can be read without this script. It sorts, names releases in charts, and leads to other pages. */
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

/* Verdicts by driver: this script shows those of one driver; without it all are shown. */
each("[data-drivers]", (section) => {
  const select = section.querySelector("select");
  const show = () => each("[data-driver]", (part) => { part.hidden = part.dataset.driver !== select.value; }, section);
  select.closest("p").hidden = false;
  select.value = address.searchParams.get("driver") || section.dataset.drivers;
  if (select.selectedIndex === -1) select.selectedIndex = 0;
  select.addEventListener("change", () => { show(); remember("driver", select.value); });
  show();
});

/* Sorting: strategies that share a connection stay in a group of their own. */
each("table.sortable", (table) => {
  const heads = [...table.tHead.rows[0].cells];
  const sort = (head, direction) => {
    const column = heads.indexOf(head);
    const value = (row) => {
      const cell = row.cells[column];
      const text = cell.dataset.sort ?? cell.querySelector("b")?.textContent;
      return text ? Number(text) : NaN;
    };
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => row.cells.length > 1);
      rows.sort((a, b) => {
        const [one, other] = [value(a), value(b)];
        /* What was not measured comes last in either direction. */
        return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || direction * (one - other) || 0;
      });
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

/* Charts over releases: the release under the pointer, and its figure. */
each("#releases-shown", (list) => {
  const releases = JSON.parse(list.textContent);
  each(".plot[data-medians]", (plot) => {
    const values = plot.dataset.medians.split(" ");
    const tip = document.createElement("span");
    const line = document.createElement("span");
    [tip.className, line.className] = ["tip", "tip-line"];
    const hide = () => { tip.remove(); line.remove(); };
    const show = (event) => {
      const { left, width } = plot.getBoundingClientRect();
      const number = Math.min(releases.length - 1, Math.max(0, Math.floor((event.clientX - left) / width * releases.length)));
      const value = values[number] === "-" ? "not measured" : `${values[number]} ${plot.dataset.unit}`;
      tip.textContent = `${releases[number]}: ${value}`;
      const at = (number + 0.5) / releases.length * 100;
      line.style.left = `${at}%`;
      plot.append(line, tip);
      tip.style.left = `clamp(0%, calc(${at}% - ${tip.offsetWidth / 2}px), calc(100% - ${tip.offsetWidth}px))`;
    };
    plot.addEventListener("pointermove", show);
    plot.addEventListener("pointerdown", show);
    plot.addEventListener("pointerleave", hide);
  });
});
