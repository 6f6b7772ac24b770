// Draws every figure to fit its container, and again when a dose or grouping is chosen or the window changes.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figures = read("shown");
  const look = read("look");
  const controls = document.getElementById("controls");
  const containers = [...document.querySelectorAll("[data-figure]")];
  const views = new Map();
  const widths = new Map();
  const chosen = {};

  // As many panels side by side as fit at their least width, spread evenly over the rows.
  function fit(spec, width) {
    const { left, label, least, gap, panels, most } = spec.usermeta;
    const each = (columns) => Math.floor((width - left - gap * (columns - 1)) / columns) - label;
    if (!spec.facet) return { ...spec, width: Math.max(120, Math.min(each(1), most)) };
    let columns = panels;
    while (columns > 1 && each(columns) < least) columns -= 1;
    columns = Math.ceil(panels / Math.ceil(panels / columns));
    return { ...spec, columns, spec: { ...spec.spec, width: Math.max(120, Math.min(each(columns), most)) } };
  }

  function withData({ spec, columns, rows }) {
    const values = rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
    return { ...spec, data: { values } };
  }

  function update(container) {
    const view = views.get(container);
    for (const { name } of figures[container.dataset.figure].spec.params) view.signal(name, chosen[name]);
    return view.runAsync();
  }

  async function draw(container) {
    const width = container.clientWidth;
    if (widths.get(container) === width || width === 0) return;
    const spec = withData(figures[container.dataset.figure]);
    widths.set(container, width);
    views.get(container)?.finalize();
    const options = {
      mode: "vega-lite",
      renderer: "svg",
      ast: true, // no code is made from text, as the page's policy demands
      actions: false,
      config: look,
      tooltip: { disableDefaultStyle: true },
    };
    const { view } = await vegaEmbed(container, fit(spec, width), options);
    views.set(container, view);
    await update(container);
  }

  // Figures are drawn from the top, with a breath in between in which the page can be read and scrolled.
  async function drawEach() {
    for (const container of containers) {
      await draw(container);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  // One after the other: two drawings in one container at once would both stay there.
  let drawing = Promise.resolve();
  function drawAll() {
    drawing = drawing
      .then(drawEach)
      .then(() => document.documentElement.setAttribute("data-drawn", String(views.size)))
      .catch((error) => console.error(error));
  }

  function choose(select) {
    const name = select.name;
    chosen[name] = JSON.parse(select.value);
    for (const shown of document.querySelectorAll(`[data-shows="${name}"]`)) {
      shown.textContent = select.selectedOptions[0].textContent;
    }
    for (const container of views.keys()) update(container);
  }

  // Not every page has something to choose.
  if (controls) controls.hidden = false;
  for (const select of controls?.querySelectorAll("select") ?? []) {
    choose(select); // a browser may remember another choice than the page's
    select.addEventListener("change", () => choose(select));
  }
  let waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
  drawAll();
})();
