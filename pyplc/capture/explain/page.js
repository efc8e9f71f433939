"use strict";
// Values under the pointer, zoom by dragging, phases that zoom when clicked. Without this the page is the same, but still.
for (const box of document.querySelectorAll(".plots")) {
  const data = JSON.parse(box.querySelector("script[type='application/json']").textContent);
  const whole = [0, data.end];
  let view = whole, down = null;
  const areas = [...box.querySelectorAll("[data-time]")];
  const reset = box.querySelector("button.reset"), now = box.querySelector(".now");
  const share = t => 100 * (t - view[0]) / (view[1] - view[0]);
  const spoken = t => t >= 60 ? `${Math.floor(t / 60)}:${(t % 60).toFixed(1).padStart(4, "0")}` : `${t.toFixed(2)} s`;

  function show(from, to) {
    const least = Math.min(0.05, data.end);
    if (to - from < least) to = from + least;
    view = [Math.max(0, from), Math.min(data.end, to)];
    for (const svg of box.querySelectorAll("[data-time] svg")) svg.setAttribute("viewBox", `${view[0]} 0 ${view[1] - view[0]} 100`);
    for (const part of box.querySelectorAll("[data-a]")) {
      const a = share(+part.dataset.a);
      part.style.left = `${a}%`;
      if (part.dataset.b !== undefined) {
        const left = Math.max(0, a), right = Math.min(100, share(+part.dataset.b));
        part.style.left = `${left}%`;
        part.style.width = `${Math.max(0, right - left)}%`;
        part.hidden = right <= left;
        part.classList.remove("thin");
        part.classList.toggle("thin", part.scrollWidth > part.clientWidth);
      }
    }
    for (const axis of box.querySelectorAll(".axis")) axis.replaceChildren(...ticks().map(label));
    reset.disabled = view[0] === whole[0] && view[1] === whole[1];
  }
  function ticks() {
    const raw = (view[1] - view[0]) / Math.max(2, Math.floor(box.clientWidth / 120));
    const nice = [30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = raw > 20 ? nice.find(s => s >= raw) || raw : [1, 2, 2.5, 5, 10].map(f => f * power).find(s => s >= raw * .999);
    const found = [];
    for (let n = Math.ceil(view[0] / step - 1e-9); n * step <= view[1] + 1e-9; n++) found.push(+(n * step).toFixed(6));
    return found;
  }
  function label(t) {
    const span = document.createElement("span");
    span.style.left = `${share(t)}%`;
    if (share(t) < 1) span.className = "edge";
    span.textContent = t >= 60 && Number.isInteger(t) ? `${Math.floor(t / 60)}:${String(t % 60).padStart(2, "0")}` : `${t} s`;
    return span;
  }
  function at(points, t) {
    let low = 0, high = points.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (points[middle][0] <= t) low = middle; else high = middle - 1;
    }
    const near = low + 1 < points.length && points[low + 1][0] - t < t - points[low][0] ? low + 1 : low;
    return points[near];
  }
  function told(value, unit) {
    if (unit === "W" && Math.abs(value) >= 1000) [value, unit] = [value / 1000, "kW"];
    return `${+value.toFixed(Math.abs(value) < 100 ? 1 : 0)} ${unit}`;
  }
  function point(t) {
    const inside = t !== null;
    now.textContent = inside ? `at ${spoken(t)}` : "";
    for (const cursor of box.querySelectorAll(".cursor")) {
      cursor.style.display = inside ? "block" : "none";
      if (inside) cursor.style.left = `${share(t)}%`;
    }
    for (const [p, plot] of data.plots.entries()) for (const [s, series] of plot.series.entries()) {
      const out = box.querySelector(`output[data-of='${p}.${s}']`);
      const found = inside && series.length ? at(series, t) : null;
      const near = found && t >= series[0][0] - 2 && t <= series[series.length - 1][0] + 2;
      out.textContent = near ? told(found[1], plot.unit) : "";
    }
  }
  const time = (area, event) => {
    const place = area.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - place.left) / place.width));
    return view[0] + part * (view[1] - view[0]);
  };
  for (const area of areas) {
    const brush = area.querySelector(".brush");
    area.addEventListener("pointermove", event => {
      const t = time(area, event);
      point(t);
      if (down !== null && brush) {
        const [a, b] = [Math.min(down, t), Math.max(down, t)];
        Object.assign(brush.style, { display: "block", left: `${share(a)}%`, width: `${share(b) - share(a)}%` });
      }
    });
    area.addEventListener("pointerleave", () => { if (down === null) point(null); });
    if (!brush) continue;
    area.addEventListener("pointerdown", event => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      down = time(area, event);
      area.setPointerCapture(event.pointerId);
    });
    area.addEventListener("pointerup", event => {
      if (down === null) return;
      const t = time(area, event), from = Math.min(down, t), to = Math.max(down, t);
      down = null;
      brush.style.display = "none";
      if (to - from > (view[1] - view[0]) / 100) show(from, to);
    });
    area.addEventListener("pointercancel", () => { down = null; brush.style.display = "none"; });
    area.addEventListener("dblclick", () => show(...whole));
  }
  reset.addEventListener("click", () => show(...whole));
  const session = box.closest(".session");
  for (const part of session.querySelectorAll("[data-zoom]")) part.addEventListener("click", () => {
    const [from, to] = part.dataset.zoom.split(" ").map(Number);
    const margin = (to - from) * .04;
    show(from - margin, to + margin);
    if (part.closest("table")) box.scrollIntoView({ behavior: "smooth", block: "start" });
  });
  addEventListener("resize", () => show(...view));
  show(...whole);
}
for (const table of document.querySelectorAll("table.index")) {
  const rows = [...table.tBodies[0].rows];
  const search = document.querySelector("input[type=search]");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
  });
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) head.addEventListener("click", () => {
    const up = head.dataset.up !== "1";
    for (const other of head.parentNode.cells) delete other.dataset.up;
    head.dataset.up = up ? "1" : "0";
    const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent;
    const compare = (a, b) => isNaN(key(a)) || isNaN(key(b)) ? key(a).localeCompare(key(b)) : key(a) - key(b);
    rows.sort((a, b) => up ? compare(a, b) : compare(b, a));
    table.tBodies[0].append(...rows);
  });
}
