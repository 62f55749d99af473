"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report").textContent);
  const hidden = new Set();
  const views = [];

  // Tables: a button in every heading sorts by its column, up, down, and back.

  function keyOf(text) {
    const number = /^[<~]?\s*(-?[\d,]*\.?\d+(?:e[-+]?\d+)?)/i.exec(text.trim());
    return number ? Number(number[1].replace(/,/g, "")) : null;
  }

  function isMissing(text) {
    return text === "" || text === "-" || text.startsWith("undef");
  }

  function sortBy(table, position, order, original) {
    const body = table.tBodies[0];
    const textOf = (row) => row.cells[position].textContent.trim();
    const present = original.filter((row) => !isMissing(textOf(row)));
    const missing = original.filter((row) => isMissing(textOf(row)));
    const numeric = present.every((row) => keyOf(textOf(row)) !== null);
    const compare = (first, second) =>
      numeric ? keyOf(textOf(first)) - keyOf(textOf(second)) : textOf(first).localeCompare(textOf(second));
    if (order === "none") return body.append(...original);
    const sign = order === "ascending" ? 1 : -1;
    body.append(...present.sort((first, second) => sign * compare(first, second)), ...missing);
  }

  function makeSortable(table) {
    const original = [...table.tBodies[0].rows];
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, position) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      heading.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const next = { none: "descending", descending: "ascending", ascending: "none" };
        const order = next[heading.getAttribute("aria-sort")];
        headings.forEach((other) => other.setAttribute("aria-sort", "none"));
        heading.setAttribute("aria-sort", order);
        sortBy(table, position, order, original);
      });
    });
  }

  // Evaluators: a box for each shows or hides its rows, its panel, and its marks in shared charts.

  function isHidden(name) {
    return name !== undefined && (hidden.has(name) || hidden.has(name.replace(/, seed \d+$/, "")));
  }

  function isShown(row) {
    return ![row.evaluator, row.first, row.second].some(isHidden);
  }

  function showChosen() {
    for (const row of document.querySelectorAll("tbody tr")) row.hidden = isHidden(row.cells[0].textContent);
    for (const panel of document.querySelectorAll(".panel")) panel.hidden = isHidden(panel.dataset.evaluator);
    for (const { view, rows } of views) {
      for (const [name, all] of Object.entries(rows)) view.data(name, all.filter(isShown));
      view.runAsync();
    }
  }

  function addSwitch(fieldset, { label, color }) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(label);
      else hidden.add(label);
      showChosen();
    });
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = color;
    const whole = document.createElement("label");
    whole.append(box, swatch, label);
    fieldset.append(whole);
  }

  // Charts: hovering shows what a mark stands for, and the cell of its architecture.

  const hint = document.getElementById("hint");

  function showHint(_handler, event, _item, value) {
    hint.hidden = value === null || value === undefined || value === "";
    if (hint.hidden) return;
    const lines = Object.entries(value).map(([name, text]) => {
      const line = document.createElement("p");
      line.textContent = `${name}: ${text}`;
      return line;
    });
    hint.replaceChildren(...lines);
    if (Object.hasOwn(report.cells, value.architecture)) {
      // Markup of our own making, with every label escaped.
      hint.insertAdjacentHTML("beforeend", report.cells[value.architecture]);
    }
    const point = event.touches?.[0] ?? event.changedTouches?.[0] ?? event;
    const left = Math.min(point.clientX + 12, window.innerWidth - hint.offsetWidth - 8);
    const below = point.clientY + 12;
    const fits = below + hint.offsetHeight < window.innerHeight - 8;
    hint.style.left = `${Math.max(8, left)}px`;
    hint.style.top = `${Math.max(8, fits ? below : point.clientY - hint.offsetHeight - 12)}px`;
  }

  async function draw(place) {
    const figure = report.figures[place.dataset.figure];
    const specification = {
      ...figure.panels[place.dataset.panel], $schema: figure.schema, datasets: figure.rows, background: "transparent",
    };
    if (figure.fluid) {
      specification.width = "container";
      specification.autosize = { type: "fit-x", contains: "padding" };
    }
    const { view } = await window.vegaEmbed(place, specification, {
      mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, config: report.config, tooltip: showHint,
    });
    if (!place.dataset.evaluator) views.push({ view, rows: figure.rows });
  }

  async function start() {
    document.querySelectorAll("table.sortable").forEach(makeSortable);
    const fieldset = document.getElementById("evaluators");
    report.evaluators.forEach((evaluator) => addSwitch(fieldset, evaluator));
    fieldset.hidden = report.evaluators.length < 2;
    // One after the other, so that the page answers meanwhile.
    for (const place of document.querySelectorAll(".panel")) {
      await draw(place);
      await new Promise((resolve) => setTimeout(resolve));
    }
    document.documentElement.dataset.drawn = "all";
  }

  start();
})();
