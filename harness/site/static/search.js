/* Finds the page for a message, a stack or words. harness/search/search.py documents the ranking, and a test
   compares the two implementations. */
"use strict";

function searchWords(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [];
  return words.filter((word) => !/^[0-9]+$/.test(word)).map((word) => word.replace(/_(?:[0-9][0-9a-f]*|[a-f])(?=_|$)/g, "_"));
}

function searchStem(word) {
  return word.replace(/(?<=[\p{L}\p{N}_]{3})(?:ing|ed|es|(?<!s)s|e)$/u, "");
}

const isLookalike = (id) => id.startsWith("lookalike.");

function rankEntries(index, text) {
  const weight = (stem) => index.weights[stem] ?? index.unknown;
  const query = searchWords(text);
  const isStop = (word) => index.stop.includes(word);
  const longestRun = (message) => {
    let best = 0;
    let end = 0;
    const lengths = new Array(message.length + 1).fill(0);
    for (const word of query) {
      for (let at = message.length; at > 0; at -= 1) {
        lengths[at] = message[at - 1] === word ? lengths[at - 1] + 1 : 0;
        if (lengths[at] > best) [best, end] = [lengths[at], at];
      }
    }
    return message.slice(end - best, end);
  };
  const matchWeight = (message) => {
    const run = longestRun(message);
    if (!run.length || run.length < Math.min(index.run, message.length, query.length)) return 0;
    const telling = run.filter((word) => !isStop(word)).map(searchStem);
    if (run.length < query.length && telling.every((stem) => index.context.includes(stem))) return 0;
    const weights = telling.map(weight);
    const sum = weights.reduce((total, each) => total + each, 0);
    return run.length === message.length || Math.max(0, ...weights) >= index.rare ? sum : 0;
  };
  const byMessage = [];
  index.entries.forEach((entry, number) => {
    let best;
    for (const { words, first } of entry.phrases) {
      const found = matchWeight(words);
      if (found && (!best || found > best[0] || (found === best[0] && first))) best = [found, first];
    }
    if (best) byMessage.push([-best[0], best[1] ? 0 : 1, number, entry.id]);
  });
  const sorted = (ranked) => ranked.sort((a, b) => {
    const at = a.findIndex((value, place) => value !== b[place]);
    return at < 0 ? 0 : a[at] - b[at];
  }).map((entry) => entry.at(-1));
  if (byMessage.length) {
    const ranked = sorted(byMessage);
    const alike = ranked.filter(isLookalike);
    const others = ranked.filter((id) => !isLookalike(id)).slice(0, index.shown);
    return { entries: ranked.filter((id) => alike.includes(id) || others.includes(id)), exact: true };
  }
  const stems = [...new Set(query.filter((word) => !isStop(word)).map(searchStem))];
  const telling = stems.filter((stem) => !index.context.includes(stem));
  const total = telling.reduce((sum, stem) => sum + (index.weights[stem] ?? index.half * index.unknown), 0);
  const byWords = [];
  index.entries.forEach((entry, number) => {
    const known = stems.filter((stem) => entry.words.includes(stem));
    const share = known.filter((stem) => telling.includes(stem)).reduce((all, stem) => all + index.weights[stem], 0);
    if (!known.length || share < index.share * total) return;
    const sum = known.reduce((all, stem) => all + index.weights[stem] * (entry.strong.includes(stem) ? 2 : 1), 0);
    byWords.push([-sum, number, entry.id]);
  });
  return { entries: sorted(byWords).slice(0, index.shown), exact: false };
}

each("form.search", (form) => {
  form.hidden = false;
  const index = JSON.parse(document.getElementById("search-index").textContent);
  const field = form.querySelector("textarea");
  const status = form.querySelector("[role=status]");
  const results = document.getElementById("results");
  const list = results.querySelector("ol");
  const excluded = document.getElementById("excluded");
  /* The sections that are shown as long as nothing was found. */
  const groups = [...document.querySelectorAll(".symptoms, #first-look")].filter((section) => section !== results && section !== excluded);
  const itemsOf = (entries) => entries.map((id) => {
    const item = document.querySelector(`.symptoms [data-entry="${id}"]`).cloneNode(true);
    delete item.dataset.entry;
    return item;
  });
  const show = () => {
    const query = field.value.trim();
    const found = query ? rankEntries(index, query) : { entries: [], exact: false };
    const toExclude = found.exact && !isLookalike(found.entries[0]) ? found.entries.filter(isLookalike) : [];
    excluded.querySelector("ol").replaceChildren(...itemsOf(toExclude));
    excluded.hidden = !toExclude.length;
    list.replaceChildren(...itemsOf(found.entries.filter((id) => !toExclude.includes(id))));
    const count = found.entries.length;
    results.hidden = !count;
    groups.forEach((section) => { section.hidden = count > 0; });
    if (!query) status.textContent = "";
    else if (found.exact) status.textContent = count > 1 ? `${count} pages match, the likeliest first.` : "One page matches.";
    else if (count) status.textContent = "No page has exactly this message. These are about the same words:";
    else status.textContent = "No exact match: no page has this message. Paste the last line of the traceback, or the stack of a worker that hangs, or look through the list below.";
    remember("find", query.slice(0, 1500));
  };
  field.value = address.searchParams.get("find") || "";
  field.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  if (field.value) show();
});
