"use strict";
// What the page does: tables out of typed arrays, figures by plotly, rows that sort and filter.

const $ = (id) => document.getElementById(id);
const header = JSON.parse($("header").textContent);
const PAGE = 200; // rows of a table, and a tenth of that many sentences, at once
const HUES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a800"];

// ---- tables

async function unpacked(text) {
  const letters = atob(text.trim());
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

class Table {
  constructor(about, buffer) {
    this.rows = about.rows;
    this.columns = {};
    for (const [name, one] of Object.entries(about.columns)) {
      const Kind = one.words ? Uint32Array : Float64Array;
      this.columns[name] = { data: new Kind(buffer, one.at, about.rows), words: one.words };
    }
  }
  has(name) { return name in this.columns; }
  at(name, row) {
    const column = this.columns[name];
    if (!column) return undefined;
    return column.words ? column.words[column.data[row]] : column.data[row];
  }
  all() { return Array.from({ length: this.rows }, (_, row) => row); }
  values(name, rows) {
    const { data, words } = this.columns[name];
    const found = new Set();
    for (const row of rows) found.add(data[row]);
    return words ? [...found].map((code) => words[code]) : [...found];
  }
  where(name, value, rows) {
    const { data, words } = this.columns[name];
    const wanted = words ? words.indexOf(value) : value;
    return rows.filter((row) => data[row] === wanted);
  }
}

const shown = (value, digits = 4) => {
  if (typeof value !== "number") return value ?? "";
  if (Number.isNaN(value)) return "";
  return Number.isInteger(value) && digits === 4 ? value.toLocaleString("en") : value.toFixed(digits);
};
const short = (name) => String(name).split("/").slice(-2).join("/");
const pairOf = (table, row) => {
  const [source, target] = [table.at("source", row), table.at("target", row)];
  return source === target ? (source === "macro" ? "mean" : source) : `${source}-${target}`;
};

// ---- choices: a select for every column that has several values among the rows left by those before it

class Choices {
  constructor(form, table, columns, first, changed, rows) {
    Object.assign(this, { form, table, columns, changed, everything: rows });
    this.chosen = { ...first };
    form.addEventListener("submit", (event) => event.preventDefault());
    this.draw();
  }
  draw() {
    for (const old of this.form.querySelectorAll("label.column")) old.remove();
    let rows = this.everything;
    for (const column of this.columns.filter((name) => this.table.has(name))) {
      const values = this.table.values(column, rows);
      if (!values.includes(this.chosen[column])) this.chosen[column] = values[0];
      if (values.length > 1) {
        const select = selected(column, values, this.chosen[column], () => {
          const at = values.map(String).indexOf(select.value);
          this.chosen[column] = values[at];
          this.draw();
          this.changed();
          this.form.querySelector(`[data-of="${column}"]`)?.focus();
        });
        select.dataset.of = column;
        select.parentNode.className = "column";
        this.form.append(select.parentNode);
      }
      rows = this.table.where(column, this.chosen[column], rows);
    }
    this.rows = rows;
  }
}

function selected(label, values, value, changed) {
  const outer = document.createElement("label");
  outer.textContent = label.replaceAll("_", " ");
  const select = document.createElement("select");
  for (const one of values) {
    const option = document.createElement("option");
    option.value = String(one);
    option.textContent = one === "" ? "(none)" : label === "checkpoint" ? short(one) : String(one);
    option.selected = one === value;
    select.append(option);
  }
  select.addEventListener("change", changed);
  outer.append(select);
  return select;
}

function searchBox(form, placeholder, changed) {
  const [label, box] = [document.createElement("label"), document.createElement("input")];
  Object.assign(box, { type: "search", placeholder });
  label.textContent = "filter";
  label.append(box);
  box.addEventListener("input", changed);
  form.append(label);
  return box;
}

// ---- figures

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const layout = (more) => ({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colour("ink"), size: 12 },
  margin: { l: 70, r: 20, t: 16, b: 48 }, ...more,
});
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
const better = (measure) => header.measures[measure]?.better ?? 1;
const finite = (values) => values.filter((value) => Number.isFinite(value));
const axis = (title) => ({ title: { text: title }, gridcolor: colour("line"), zeroline: false });

// what a cell shows, by kind: its value, its interval, whether that reaches the floor
const KINDS = {
  score: { table: "scores", value: "value", low: "low", high: "high" },
  "Δ": { table: "retention", value: "delta", low: "delta_low", high: "delta_high" },
  "ρ": { table: "retention", value: "ratio", low: "ratio_low", high: "ratio_high" },
};

function floorOf(table, row, sign) {
  const floors = finite([table.at("null", row), table.at("surface", row)]);
  return floors.length ? (sign > 0 ? Math.max(...floors) : Math.min(...floors)) : NaN;
}

function reaches(kind, table, row, sign) {
  const [low, high] = [table.at(KINDS[kind].low, row), table.at(KINDS[kind].high, row)];
  if (kind === "Δ") return low <= 0 && high >= 0;
  if (kind === "ρ") return low <= 1 && high >= 1;
  const floor = floorOf(table, row, sign);
  return sign > 0 ? low <= floor : high >= floor;
}

function cellText(kind, table, row) {
  const of = KINDS[kind];
  const lines = [
    `<b>${pairOf(table, row)}, layer ${table.at("layer", row)}</b>`,
    `${kind} ${shown(table.at(of.value, row))} (${shown(table.at(of.low, row))} to ${shown(table.at(of.high, row))})`,
  ];
  if (kind !== "score") lines.push(`fine-tuned ${shown(table.at("value", row))}, base ${shown(table.at("base", row))}`);
  for (const [name, label] of [["null", "null"], ["surface", "n-grams"], ["n", "n"]])
    if (!Number.isNaN(table.at(name, row) ?? NaN)) lines.push(`${label} ${shown(table.at(name, row))}`);
  return lines.join("<br>");
}

function heatmap(tables) {
  const kinds = Object.keys(KINDS).filter((kind) => tables[KINDS[kind].table]);
  let kind = kinds[0];
  let choices;
  const form = $("heatmap-controls");
  const begin = () => {
    form.replaceChildren();
    const table = tables[KINDS[kind].table];
    const rows = table.all().filter((row) => kind === "score" || table.at("chosen", row) === "equal");
    const columns = ["checkpoint", "revision", "base_checkpoint", "corpus", "split", "protocol", "pooling", "map", "measure", "direction"];
    choices = new Choices(form, table, columns, header.first, draw, rows);
    if (kinds.length > 1) {
      const select = selected("shown", kinds, kind, () => { kind = select.value; begin(); });
      form.prepend(select.parentNode);
    }
    draw();
  };
  const draw = () => {
    const { table, rows, chosen } = choices;
    const sign = better(chosen.measure);
    const pairs = [...new Set(rows.map((row) => pairOf(table, row)))];
    const layers = [...new Set(rows.map((row) => table.at("layer", row)))].sort((a, b) => a - b);
    const place = { pairs: new Map(pairs.map((one, at) => [one, at])), layers: new Map(layers.map((one, at) => [one, at])) };
    const grid = () => pairs.map(() => layers.map(() => null));
    const [z, text, marks] = [grid(), grid(), { x: [], y: [] }];
    for (const row of rows) {
      const [i, j] = [place.pairs.get(pairOf(table, row)), place.layers.get(table.at("layer", row))];
      const value = table.at(KINDS[kind].value, row);
      z[i][j] = Number.isNaN(value) ? null : value;
      text[i][j] = cellText(kind, table, row);
      if (reaches(kind, table, row, sign)) { marks.x.push(layers[j]); marks.y.push(pairs[i]); }
    }
    const known = finite(z.flat().map((value) => value ?? NaN));
    const middle = kind === "Δ" ? 0 : kind === "ρ" ? 1 : null;
    const far = Math.max(1e-9, ...known.map((value) => Math.abs(value - (middle ?? 0))));
    const nulls = finite(rows.map((row) => table.at("null", row)));
    const floor = nulls.length ? (sign > 0 ? Math.min(...nulls) : Math.max(...nulls)) : sign > 0 ? Math.min(...known) : Math.max(...known);
    const best = sign > 0 ? Math.max(...known) : Math.min(...known);
    const scale = middle === null
      ? { zmin: Math.min(floor, best), zmax: Math.max(floor, best), colorscale: header.colours[sign > 0 ? "rocket_r" : "rocket"] }
      : { zmin: middle - far, zmax: middle + far, colorscale: header.colours.vlag };
    const heat = {
      type: "heatmap", x: layers, y: pairs, z, hovertext: text, hovertemplate: "%{hovertext}<extra></extra>", xgap: 1, ygap: 1, ...scale,
      texttemplate: pairs.length * layers.length <= 400 && layers.length <= 26 && innerWidth > 700 ? "%{z:.2f}" : "",
      colorbar: { title: { text: kind === "score" ? chosen.measure : kind, side: "right" }, thickness: 14 },
    };
    const dots = {
      type: "scatter", mode: "markers", ...marks, hoverinfo: "skip", showlegend: false,
      marker: { size: 5, color: "#ffffff", line: { color: "#000000", width: 1 } },
    };
    Plotly.react($("heatmap-figure"), [heat, dots], layout({
      height: Math.max(220, 19 * pairs.length + 90), xaxis: { ...axis("layer"), dtick: layers.length > 26 ? 4 : 1, showgrid: false },
      yaxis: { autorange: "reversed", dtick: 1, automargin: true, showgrid: false },
    }), CONFIG);
    const unknown = pairs.length * layers.length - known.length;
    const floors = { score: "the floor (the higher of null and n-grams)", "Δ": "0", "ρ": "1" }[kind];
    $("heatmap-note").textContent =
      `${chosen.measure} (${chosen.direction}). ${kind === "score" ? "Dark is good; the colours begin at the null." : "Red rose, blue fell."} ` +
      `A ring: the 95 % interval reaches ${floors}.` + (unknown ? ` ${unknown} cells have no value.` : "");
  };
  begin();
  return draw;
}

function curves(table) {
  const staged = (row) => (table.at("recipe", row) || table.at("stage", row) || "").split(": ").pop(); // of STUDY: TREATMENT
  const size = (row) => table.at("parameters", row);
  const scales = table.values("parameters", table.all()).filter((one) => !Number.isNaN(one)).sort((a, b) => a - b);
  const stages = [...new Set(table.all().map(staged))];
  const columns = ["corpus", "split", "protocol", "pooling", "map", "measure", "direction"];
  const form = $("curves-controls");
  const sizeName = (value) => `${(value / 1e6).toPrecision(3)} M`;
  const choices = new Choices(form, table, columns, header.first, () => draw(), table.all());
  const kinds = table.values("checkpoint", table.all()).length > 1 ? ["checkpoints", "languages"] : ["languages"];
  const lines = selected("a line is", kinds.map((one) => one.slice(0, -1)), "", () => draw());
  const stage = selected("stage", ["all", ...stages], "all", () => draw());
  const crowded = stages.length > 1 && stages.length * scales.length > HUES.length;
  const scale = selected("scale", ["all", ...scales.map(sizeName)], crowded ? sizeName(scales[0]) : "all", () => draw());
  const over = selected("languages", ["mean", ...new Set(table.all().map((row) => pairOf(table, row)))], "mean", () => draw());
  for (const [select, wanted] of [[over, true], [scale, scales.length > 1], [stage, stages.length > 1], [lines, kinds.length > 1]])
    if (wanted) form.prepend(select.parentNode);

  const draw = () => {
    const { chosen } = choices;
    const rows = choices.rows.filter((row) =>
      (stage.value === "all" || staged(row) === stage.value) &&
      (scale.value === "all" || sizeName(size(row)) === scale.value));
    const byLanguage = lines.value === "language";
    const kept = rows.filter((row) => byLanguage || over.value === "mean" || pairOf(table, row) === over.value);
    const name = (row) => byLanguage ? pairOf(table, row)
      : stages.length > 1 && scales.length > 1 ? `${staged(row) || "base"}, ${sizeName(size(row))}` : short(table.at("checkpoint", row));
    const depthwise = scales.length > 1 && !byLanguage && scale.value === "all";
    const x = (row) => depthwise ? table.at("layer", row) / last.get(table.at("checkpoint", row)) : table.at("layer", row);
    const last = new Map();
    for (const row of kept) last.set(table.at("checkpoint", row), Math.max(last.get(table.at("checkpoint", row)) ?? 1, table.at("layer", row)));
    const groups = new Map();
    for (const row of kept) {
      if (!groups.has(name(row))) groups.set(name(row), new Map());
      const points = groups.get(name(row));
      if (!points.has(x(row))) points.set(x(row), []);
      points.get(x(row)).push(row);
    }
    const mean = (column, at) => { const all = finite(at.map((row) => table.at(column, row))); return all.reduce((a, b) => a + b, 0) / all.length; };
    const traces = [];
    const many = groups.size > HUES.length;
    const hue = (at) => many ? `hsl(${Math.round(360 * at / groups.size)},55%,50%)` : HUES[at];
    let at = 0;
    for (const [line, points] of groups) {
      const xs = [...points.keys()].sort((a, b) => a - b);
      const of = (column) => xs.map((one) => mean(column, points.get(one)));
      const [value, low, high] = [of("value"), of("low"), of("high")];
      const half = value.map((_, i) => (high[i] - low[i]) / 2);
      const many_ = points.get(xs[0]).length > 1; // a mean: its band is as wide as theirs on average
      const ends = many_ ? [value.map((one, i) => one - half[i]), value.map((one, i) => one + half[i])] : [low, high];
      const tint = hue(at++);
      if (groups.size <= 12)
        traces.push({ x: [...xs, ...xs.slice().reverse()], y: [...ends[1], ...ends[0].slice().reverse()], fill: "toself", fillcolor: tint,
          opacity: .15, line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: line, mode: "lines" });
      traces.push({ x: xs, y: value, name: line, legendgroup: line, mode: "lines+markers", line: { color: tint, width: 1.8 }, marker: { size: 4 },
        customdata: xs.map((_, i) => [ends[0][i], ends[1][i], points.get(xs[i]).length]),
        hovertemplate: "%{y:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f}), %{customdata[2]} scores" });
    }
    const nulls = new Map();
    for (const row of kept) { if (!nulls.has(x(row))) nulls.set(x(row), []); nulls.get(x(row)).push(row); }
    const nx = [...nulls.keys()].sort((a, b) => a - b);
    traces.push({ x: nx, y: nx.map((one) => mean("null", nulls.get(one))), name: "null", mode: "lines", line: { dash: "dot", color: colour("soft"), width: 1.2 }, hoverinfo: "skip" });
    Plotly.react($("curves-figure"), traces, layout({
      height: 430, hovermode: "x unified", hoverlabel: { bgcolor: colour("paper") }, xaxis: axis(depthwise ? "depth (layer / last layer)" : "layer"), yaxis: axis(chosen.measure),
      legend: innerWidth > 700 ? { font: { size: 11 } } : { font: { size: 11 }, orientation: "h", y: -0.35 },
    }), CONFIG);
    $("curves-note").textContent = `${chosen.measure} (${chosen.direction}); bands: 95 %, of a mean as wide as those of its scores on average` +
      (groups.size > 12 ? "; with more than 12 lines none is drawn" : "") + ". Dotted: null. A click on a name hides its line.";
  };
  draw();
  return draw;
}

// ---- rows

const RETENTION = [
  ["checkpoint", "checkpoint"], ["base_checkpoint", "base"], ["corpus", "corpus"], ["pair", "pair"], ["pooling", "pooling"], ["map", "map"],
  ["measure", "measure"], ["direction", "direction"], ["chosen", "layers"], ["layer", "layer"], ["base_layer", "of base"], ["value", "tuned"], ["base", "base score"],
  ["base_null", "null"], ["surface", "n-grams"], ["delta", "Δ"], ["delta_low", "low"], ["delta_high", "high"], ["ratio", "ρ"],
  ["ratio_low", "low"], ["ratio_high", "high"], ["log_odds", "log-odds"], ["area", "area"], ["verdict", "verdict"], ["note", "note"],
];

function retentionTable(table) {
  const columns = RETENTION.filter(([name]) => name === "pair" || table.has(name));
  const cell = (name, row) => name === "pair" ? pairOf(table, row) : table.at(name, row);
  const form = $("retention-controls");
  form.addEventListener("submit", (event) => event.preventDefault());
  const filters = [];
  let [order, falling, most] = [null, false, PAGE];
  const refilter = () => { most = PAGE; draw(); };
  const search = searchBox(form, "words, all of them", refilter);
  for (const name of ["checkpoint", "corpus", "measure", "direction", "pooling", "map", "chosen", "verdict"]) {
    if (!table.has(name)) continue;
    const values = table.values(name, table.all());
    if (values.length < 2) continue;
    const select = selected(name === "chosen" ? "layers" : name, ["all", ...values], "all", refilter);
    select.dataset.of = name;
    filters.push([name, select]);
    form.append(select.parentNode);
  }
  const head = document.createElement("thead");
  const line = document.createElement("tr");
  for (const [name, title] of columns) {
    const th = document.createElement("th");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    button.dataset.of = name;
    button.addEventListener("click", () => { falling = order === name ? !falling : false; order = name; draw(); });
    th.scope = "col";
    th.append(button);
    line.append(th);
  }
  head.append(line);
  const body = document.createElement("tbody");
  $("retention-table").append(head, body);
  $("retention-more").addEventListener("click", () => { most += PAGE; draw(); });
  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let rows = table.all().filter((row) => filters.every(([name, select]) => select.value === "all" || String(table.at(name, row)) === select.value));
    if (words.length)
      rows = rows.filter((row) => {
        const text = columns.map(([name]) => cell(name, row)).filter((one) => typeof one === "string").join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      });
    if (order !== null) {
      const compare = (a, b) => {
        const [one, other] = [cell(order, a), cell(order, b)];
        if (typeof one === "string") return one.localeCompare(other) * (falling ? -1 : 1);
        if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other); // last, either way
        return (one - other) * (falling ? -1 : 1);
      };
      rows.sort(compare);
    }
    for (const th of line.children) {
      const of = th.firstChild.dataset.of;
      th.ariaSort = of === order ? (falling ? "descending" : "ascending") : "none";
      th.firstChild.textContent = columns.find(([name]) => name === of)[1] + (of === order ? (falling ? " ▼" : " ▲") : "");
    }
    const made = document.createDocumentFragment();
    for (const row of rows.slice(0, most)) {
      const tr = document.createElement("tr");
      for (const [name] of columns) {
        const td = document.createElement("td");
        const value = cell(name, row);
        if (typeof value === "number") td.className = "n";
        if (name === "verdict" && value) td.className = `chip ${value.replace(" ", "-")}`;
        if (name === "note") td.className = "note";
        td.textContent = name.endsWith("checkpoint") ? short(value) : shown(value);
        tr.append(td);
      }
      made.append(tr);
    }
    body.replaceChildren(made);
    $("retention-note").textContent = `${rows.length.toLocaleString("en")} of ${table.rows.toLocaleString("en")} rows` +
      (rows.length > most ? `, the first ${most} shown` : "");
    $("retention-more").hidden = rows.length <= most;
  };
  draw();
}

function errorBrowser(table) {
  const columns = ["query", "candidates", "pooling", "map", "layer", "checkpoint"];
  const form = $("errors-controls");
  let most = PAGE / 10;
  const layers = table.values("layer", table.all());
  const choices = new Choices(form, table, columns, { layer: Math.max(...layers) }, () => { most = PAGE / 10; draw(); }, table.all());
  const search = searchBox(form, "words of any text", () => { most = PAGE / 10; draw(); });
  $("errors-more").addEventListener("click", () => { most += PAGE / 10; draw(); });
  const checkpoints = table.values("checkpoint", table.all());
  const where = (row) => ["query", "candidates", "pooling", "map", "layer", "id"].map((name) => table.at(name, row)).join("\u0000");
  const missed = new Map();
  if (checkpoints.length > 1)
    for (const row of table.all()) {
      if (!missed.has(where(row))) missed.set(where(row), new Map());
      missed.get(where(row)).set(table.at("checkpoint", row), row);
    }
  const entry = (list, term, text, language) => {
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    dt.textContent = term;
    dd.textContent = text;
    if (language) { dd.dir = "auto"; dd.lang = language; }
    list.append(dt, dd);
  };
  const draw = () => {
    const wanted = search.value.toLowerCase();
    const rows = choices.rows.filter((row) => !wanted || ["text", "translation", "found", "id"].some((name) => String(table.at(name, row)).toLowerCase().includes(wanted)));
    const made = document.createDocumentFragment();
    for (const row of rows.slice(0, most)) {
      const item = document.createElement("li");
      const list = document.createElement("dl");
      list.className = "texts";
      entry(list, "sentence", table.at("text", row), table.at("query", row));
      entry(list, "its translation", table.at("translation", row), table.at("candidates", row));
      entry(list, "retrieved", table.at("found", row), table.at("candidates", row));
      entry(list, "how far", `the translation has rank ${table.at("rank", row)} (0 is the first), cosine ${shown(table.at("margin", row))} behind; ${table.at("id", row)}`);
      for (const other of checkpoints.filter((one) => one !== choices.chosen.checkpoint)) {
        const there = missed.get(where(row))?.get(other);
        entry(list, short(other), there === undefined ? "finds it (or it is not among the worst that are kept)"
          : `misses it too: rank ${table.at("rank", there)}, retrieves ${table.at("found_id", there)}`);
      }
      item.append(list);
      made.append(item);
    }
    $("errors-list").replaceChildren(made);
    $("errors-note").textContent = `${rows.length.toLocaleString("en")} sentences, the worst first` + (rows.length > most ? `, the first ${most} shown` : "");
    $("errors-more").hidden = rows.length <= most;
  };
  draw();
}

// ---- all of it

(async () => {
  const root = document.documentElement;
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const buffer = await unpacked($("blob").textContent);
  const tables = Object.fromEntries(Object.entries(header.tables).map(([name, about]) => [name, new Table(about, buffer)]));
  const redraw = [];
  if ($("heatmap")) redraw.push(heatmap(tables));
  if ($("curves")) redraw.push(curves(tables.scores));
  if ($("retention")) retentionTable(tables.retention);
  if ($("errors")) errorBrowser(tables.errors);
  $("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    for (const draw of redraw) draw();
  });
  root.dataset.ready = "yes";
})();
