// What the pages do beyond links and forms: they fetch newer figures, draw plots and take keys. All works without.
"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const live = () => byId("live");
  let etag = "", paused = false, kept = "";

  // Colours: the system's, until somebody chooses.
  const scheme = byId("scheme"), system = matchMedia("(prefers-color-scheme: dark)");
  const other = () => ((root.dataset.scheme || (system.matches ? "dark" : "light")) === "dark" ? "light" : "dark");
  const recolour = () => { if (scheme) scheme.textContent = other(); draw(); };
  if (localStorage.scheme) root.dataset.scheme = localStorage.scheme;
  if (scheme) {
    scheme.hidden = false;
    scheme.onclick = () => { localStorage.scheme = root.dataset.scheme = other(); recolour(); };
  }
  system.addEventListener("change", recolour);

  // Newer figures. Nothing moves under the pointer, nor away from the focus: rows that come or go wait to be shown.
  const rows = (element) => all("[data-row]", element).map((one) => one.dataset.row);
  const inUse = () => live().matches(":hover, :focus-within") || live().querySelector("input:checked");
  const poll = () => {
    const every = Number(live().dataset.every);
    if (!every) return;
    if (!paused && !document.hidden) htmx.trigger(live(), "poll");
    setTimeout(poll, 1000 * (byId("silence").hidden ? every : 3));
  };
  // What has the focus is found again by what it is, not by where it stands: others may have come before it.
  const places = (within) => all("a, button, input, select, summary, [tabindex]", within);
  const sign = (one) => [one.tagName, one.id || one.parentElement.id, one.name, one.value, one.href, one.getAttribute("aria-label"), rowOf(one)].join("\n");
  const rowOf = (one) => one.closest("[data-row]")?.dataset.row;
  const refocus = (known, row, place) => {
    const same = places(live()).find((one) => sign(one) === known);
    const beside = row && all("[data-row]", live()).find((one) => one.dataset.row === row);
    (same || (beside && places(beside)[place]) || byId("main")).focus({ preventScroll: true });
  };
  const replace = async (html) => {
    const open = all("details[open][id]", live()).map((one) => one.id), hand = all("[data-at-hand]")[0]?.dataset.row;
    const focus = document.activeElement, isWithin = live().contains(focus), row = isWithin && rowOf(focus);
    const known = isWithin && sign(focus), place = row && places(focus.closest("[data-row]")).indexOf(focus);
    const checked = all("input:checked", live()).map((one) => one.value), letters = Number(live().dataset.letters);
    await htmx.swap({ sourceElement: live(), target: live(), text: html, swap: "outerHTML" });
    const more = Number(live().dataset.letters) - letters;
    byId("news").textContent = more > 0 ? `${more} new dead letter${more > 1 ? "s" : ""}` : "";
    open.forEach((id) => { if (byId(id)) byId(id).open = true; });
    all("input[type=checkbox]", live()).forEach((one) => { one.checked = checked.includes(one.value); });
    atHand(all("tr[data-row]").findIndex((one) => one.dataset.row === hand));
    if (isWithin || focus.id === "fresh") refocus(known, row, place);
    dress();
  };
  const offer = (now, then) => {
    const come = then.filter((one) => !now.includes(one)).length, gone = now.filter((one) => !then.includes(one)).length;
    const words = [come && `${come} new`, gone && `${gone} gone`].filter(Boolean).join(", ") || "another order";
    if (!byId("fresh")) byId("news").innerHTML = "<button id='fresh' type='button'></button>";
    byId("fresh").textContent = `${words}: show`;
    byId("fresh").onclick = () => replace(kept);
  };
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => { if (etag) ctx.request.headers["If-None-Match"] = etag; });
  document.addEventListener("htmx:after:request", (event) => {
    const { response, text } = event.detail.ctx;
    event.preventDefault();
    byId("silence").hidden = response.status < 400;
    if (response.status === 403) location.reload();
    if (response.status !== 200) return;
    etag = response.headers.get("ETag") || "";
    kept = text;
    const part = new DOMParser().parseFromString(kept, "text/html").body;
    const now = rows(live()), then = rows(part);
    if (now.join("\n") !== then.join("\n") && inUse()) offer(now, then);
    else replace(kept);
  });
  document.addEventListener("htmx:error", () => { byId("silence").hidden = false; });

  // Times by the reader's own clock, beside UTC; how long ago, as time goes on.
  const age = (s) => (s < 60 ? `${s | 0} s` : s < 3600 ? `${(s / 60) | 0} min` : s < 86400 ? `${(s / 3600) | 0} h` : `${(s / 86400) | 0} d`);
  const times = () => all("time[datetime]").forEach((one) => {
    const at = new Date(one.dateTime);
    if (!one.dataset.utc) one.title = `${one.dataset.utc = one.title || one.textContent}, ${at.toLocaleString()} here`;
    if (one.textContent.endsWith(" ago")) one.textContent = `${age(Math.max(0, (Date.now() - at) / 1000))} ago`;
  });
  setInterval(times, 10000);

  // Plots, each from the table beside it.
  let drawn = [];
  const colours = () => all("#colours i").map((one) => getComputedStyle(one).color);
  const bytes = (value) => { let n = 0; while (value >= 1000 && n < 4) { value /= 1024; n++; } return `${+value.toFixed(value < 10 ? 1 : 0)} ${["B", "KiB", "MiB", "GiB", "TiB"][n]}`; };
  const written = (unit, value) => (value == null ? "–" : unit === "bytes" ? bytes(value) : `${+value.toFixed(2)} ${unit}`);
  const draw = () => {
    drawn.forEach((one) => one.destroy());
    drawn = window.uPlot ? all("[data-plot]").map(plot) : [];
  };
  const plot = (box) => {
    const table = byId(box.dataset.plot), { kind, unit } = box.dataset, lines = [...table.tBodies[0].rows];
    const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent), [quiet, grid, ...inks] = colours();
    const x = lines.map((_, n) => Number(table.dataset.from) + n * Number(table.dataset.step));
    const real = names.map((_, n) => lines.map(({ cells }) => (cells[n + 1].textContent === "" ? null : Number(cells[n + 1].textContent))));
    // What is stacked on top is drawn first, so that what is below covers it.
    const sums = real.map((_, n) => (kind === "stack" ? x.map((_, at) => real.slice(0, n + 1).reduce((sum, one) => sum + one[at], 0)) : real[n]));
    const order = names.map((_, n) => (kind === "stack" ? names.length - 1 - n : n)), isLine = kind === "lines";
    const series = order.map((n) => ({
      label: names[n], stroke: inks[n], width: isLine ? 2 : 0, spanGaps: true, points: { show: isLine, size: 4 },
      ...(isLine ? { dash: n ? [6, 3] : [] } : { fill: inks[n], paths: uPlot.paths.bars({ size: [0.8, 40] }) }),
      value: (_, __, ___, at) => written(unit, at == null ? null : real[n][at]),
    }));
    const axis = { stroke: quiet, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    // By day and hour as the tables have them: of a day its name once, below the first hour.
    const clock = [[86400, "{MM}-{DD}", ...Array(6).fill(null), 1], [60, "{HH}:{mm}", "\n{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1]];
    box.parentElement.classList.add("drawn");
    return new uPlot({
      width: box.clientWidth, height: 150, tzDate: (at) => uPlot.tzDate(new Date(1000 * at), "Etc/UTC"), cursor: { y: false },
      series: [{ label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...series],
      scales: { y: { range: (_, low, high) => [0, 1.05 * Math.max(high || 0, unit ? 0.01 : 1)] } },
      axes: [{ ...axis, values: clock }, { ...axis, size: 60, values: (_, found) => found.map((one) => (one == null ? "" : written(unit, one))) }],
    }, [x, ...order.map((n) => sums[n])], box);
  };
  let later;
  addEventListener("resize", () => { clearTimeout(later); later = setTimeout(draw, 150); });

  // Keys; each does what a link or a button does, too.
  const go = { o: "overview", f: "files", d: "dead-letters", r: "rejected", s: "rows", e: "feeds", p: "operations", a: "audit", h: "health" };
  let before = "", at = -1;
  const atHand = (index) => {
    all("[data-at-hand]").forEach((one) => delete one.dataset.atHand);
    const row = all("tr[data-row]")[index];
    if (!row) return;
    at = index;
    row.dataset.atHand = "";
  };
  const step = (by) => {
    const found = all("tr[data-row]"), next = Math.min(Math.max(at + by, 0), found.length - 1);
    atHand(next);
    found[next]?.querySelector("a, input")?.focus();
  };
  document.addEventListener("keydown", (event) => {
    const { key } = event, first = before;
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    before = key;
    if (first === "g" && go[key]) location.href = `/${go[key]}`;
    else if (key === "/" && byId("search")) { event.preventDefault(); byId("search").focus(); }
    else if (key === "?") byId("help").showModal();
    else if (key === "j" || key === "k") step(key === "j" ? 1 : -1);
    else if (key === "x") all("[data-at-hand] input[type=checkbox]")[0]?.click();
    else if (key === "p") byId("pause")?.click();
  });

  const dress = () => {
    const pause = byId("pause"), letters = live()?.dataset.letters, number = all("nav .number")[0];
    if (pause) {
      pause.hidden = false;
      pause.textContent = paused ? "go on" : "pause";
      pause.onclick = () => { paused = !paused; dress(); };
    }
    if (number && letters) number.textContent = Number(letters).toLocaleString("en");
    times();
    draw();
  };
  all("[data-copy]").forEach((one) => {
    one.hidden = !navigator.clipboard;
    one.onclick = () => navigator.clipboard.writeText(byId(one.dataset.copy).textContent).then(() => { one.textContent = "copied"; });
  });
  if (byId("keys")) { byId("keys").hidden = false; byId("keys").onclick = () => byId("help").showModal(); }
  recolour();
  dress();
  if (live()) setTimeout(poll, 1000 * Number(live().dataset.every || 10));
})();
