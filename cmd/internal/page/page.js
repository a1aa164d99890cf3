"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("tenants");
  const body = table.tBodies[0];
  const search = document.getElementById("search");
  const matches = document.getElementById("matches");
  const more = document.getElementById("more");
  const step = 100; // rows that are drawn at once; a browser is slow with 10,000
  const collator = new Intl.Collator("en", { numeric: true });
  const words = new Map(); // of a row, in lower case, for the search
  const ranks = new Map(); // of a column of words, by row
  const opened = new Set(); // rows whose detail is shown

  let column = "name";
  let direction = 1;
  let shown = data.rows; // those that match, sorted
  let drawn = 0;

  // element makes one; everything that came from a wiki goes in as text.
  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value) made.setAttribute(name, value);
    }
    made.append(...children.filter((c) => c !== ""));
    return made;
  };
  const text = (string, tone) => (string ? element("span", { class: tone }, string) : "");

  const toggle = (row, line) => {
    const button = line.querySelector(".open");
    const open = !opened.delete(row);
    button.setAttribute("aria-expanded", open);
    if (!open) return line.nextSibling.remove();
    opened.add(row);
    line.after(detail(row));
  };

  const draw = (row) => {
    const cell = (label, kind, ...content) => element("td", { "data-label": label, class: kind }, ...content);
    const number = (label, value) => cell(label, "number " + (value.c || ""), value.t);
    const button = element("button", { type: "button", class: "open", "aria-expanded": "false", "aria-label": "Details of " + row.name });
    const line = element("tr", {},
      element("th", { scope: "row" }, element("div", { class: "name" }, button,
        element("span", { class: "who" }, element("a", { href: data.url.replace("{host}", row.hosts[0]) }, row.name), text(row.sitename, "quiet sitename")))),
      cell("Version", "", text(row.version.t, row.version.c), row.wanted ? " " : "", text(row.wanted && "→ " + row.wanted, "wanted")),
      cell("Server", "", row.server),
      cell("Language", "", row.language),
      number("Size", row.size),
      number("Backup", row.backup),
      cell("Findings", "", element("span", {}, text(row.findings.t, row.findings.c), row.also ? " " : "", text(row.also && "+" + row.also, "quiet"))),
      number("Last upgrade", row.upgrade));
    button.addEventListener("click", () => toggle(row, line));
    return opened.has(row) ? [open(line), detail(row)] : [line];
  };
  const open = (line) => {
    line.querySelector(".open").setAttribute("aria-expanded", "true");
    return line;
  };

  const detail = (row) => {
    const facts = element("dl", { class: "facts" });
    const fact = (name, value) => value && facts.append(element("dt", {}, name), element("dd", {}, value));
    fact("Hosts", row.hosts.join(", "));
    fact("Database", row.database + " on " + row.server);
    fact("Classes", (row.classes || []).join(", "));
    fact("Language", row.language);
    fact("Defined in", row.files.join(", "));
    const inside = element("td", { colspan: "8" }, facts);
    inside.append(element("h3", {}, "Findings"));
    inside.append(row.found ? element("ul", { class: "findings" }, ...row.found.map((i) => finding(data.findings[i]))) : text(row.findings.t, "quiet"));
    if (row.upgrades) inside.append(element("h3", {}, "Upgrades"), upgrades(row));
    return element("tr", { class: "detail" }, inside);
  };

  const finding = (f) =>
    element("li", {}, element("span", { class: "mark " + f.severity }), element("div", {},
      element("p", {}, text(f.severity, f.severity), " ", element("code", {}, f.rule), " ", f.message),
      element("p", { class: "quiet" }, [f.place, f.key, f.hint].filter(Boolean).join(" · "))));

  const upgrades = (row) => {
    const lines = row.upgrades.map((u) => {
      const of = data.runs[u.of];
      return element("tr", {}, ...[u.started, of.from + " → " + of.to].map((t) => element("td", {}, t)),
        ...[u.took, u.readonly || u.took].map((t) => element("td", { class: "number" }, t || "–")),
        element("td", { class: "outcome " + (u.c || "") }, (u.outcome || "upgraded") + (u.error ? ": " + u.error : "")), element("td", { class: "quiet" }, of.run));
    });
    const head = ["Started (UTC)", "Versions", "Took", "Read-only", "Outcome", "Run"].map((t, i) =>
      element("th", { scope: "col", class: i === 2 || i === 3 ? "number" : "" }, t));
    const list = element("div", { class: "wide" }, element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...lines)));
    if (row.older) list.append(text("and " + row.older + " before", "quiet"));
    return list;
  };

  const drawMore = () => {
    body.append(...shown.slice(drawn, drawn + step).flatMap(draw));
    drawn = Math.min(drawn + step, shown.length);
    more.hidden = drawn === shown.length;
    more.textContent = "Show more (" + (shown.length - drawn).toLocaleString("en") + " left)";
  };
  const redraw = () => {
    body.replaceChildren();
    drawn = 0;
    drawMore();
  };

  // A number to sort by; what is not known has none.
  const key = (row) => {
    const value = row[column];
    if (typeof value === "object") return value.k < 0 ? null : value.k;
    if (!ranks.has(column)) {
      const sorted = data.rows.slice().sort((a, b) => collator.compare(a[column], b[column]));
      let rank = 0;
      ranks.set(column, new Map(sorted.map((r, i) => [r, i > 0 && sorted[i - 1][column] !== r[column] ? ++rank : rank])));
    }
    return ranks.get(column).get(row);
  };

  const sort = () => {
    const keys = new Map(shown.map((row) => [row, key(row)]));
    shown.sort((a, b) => {
      const x = keys.get(a), y = keys.get(b);
      if (x === null || y === null) return (x === null) - (y === null);
      return (x - y) * direction;
    });
  };

  const wordsOf = (row) => {
    if (!words.has(row)) {
      const found = (row.found || []).map((i) => data.findings[i]).map((f) => [f.rule, f.severity, f.message, f.key].join(" "));
      const upgrade = row.upgrade.c ? row.upgrade.t : "";
      words.set(row, [row.name, row.sitename, row.hosts.join(" "), (row.classes || []).join(" "), row.version.t, row.wanted, row.server, row.database, row.language, upgrade, ...found].join("\n").toLowerCase());
    }
    return words.get(row);
  };

  const filter = () => {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = data.rows.filter((row) => asked.every((word) => wordsOf(row).includes(word)));
    const all = data.rows.length.toLocaleString("en");
    matches.textContent = asked.length ? shown.length.toLocaleString("en") + " of " + all + (shown.length === 1 ? " matches" : " match") : all + (all === "1" ? " wiki" : " wikis");
    sort();
    redraw();
  };

  for (const head of table.tHead.rows[0].cells) {
    head.firstElementChild.addEventListener("click", () => {
      const by = head.dataset.column;
      // What is worst or largest is looked for first.
      direction = by === column ? -direction : ["size", "backup", "findings", "upgrade"].includes(by) ? -1 : 1;
      column = by;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      sort();
      redraw();
    });
  }
  for (const button of document.querySelectorAll("[data-find]")) {
    button.addEventListener("click", () => {
      search.value = button.dataset.find;
      filter();
      search.focus();
      document.getElementById("wikis").scrollIntoView();
    });
  }
  search.addEventListener("input", filter);
  more.addEventListener("click", drawMore);
  addEventListener("beforeprint", () => { while (drawn < shown.length) drawMore(); });

  search.hidden = false;
  shown = data.rows.slice();
  filter();
})();
