// The photo and its maps: laid over each other, wiped or side by side, with one zoom for all. No library, nothing is fetched.
const MOST = 12, STEP = 1.25, KEY_PAN = 40;
const HINT = "Arrow keys move, plus and minus zoom, 0 shows all, M changes between photo and maps, V the way of looking, F full screen";
const VIEWS = [["over", "Over"], ["wipe", "Wipe"], ["side", "Side by side"]];

export default function ({ data, parentElement }) {
  const kept = (parentElement.melascope ??= build(parentElement));
  kept.show(data);
  return () => {};
}

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function build(parent) {
  const state = { layer: 1, view: "over", x: 0, y: 0, zoom: 1, opacity: 70, contours: false, wipe: 50 };
  let data = null;
  const left = pane(), right = pane();
  const handle = el("div", { class: "wipe", role: "slider", tabindex: 0, "aria-label": "Wipe between photo and map",
    "aria-valuemin": 0, "aria-valuemax": 100 });
  const stage = el("div", { class: "stage", tabindex: 0, role: "group", "aria-roledescription": "picture viewer",
    "aria-label": "Photo and maps", "aria-description": HINT }, left.box, right.box, handle);
  const layers = el("div", { class: "group layers", role: "group", "aria-label": "Picture" });
  const views = el("div", { class: "group views", role: "group", "aria-label": "Way of looking" });
  const zooms = el("div", { class: "group zooms" });
  const slider = el("input", { type: "range", min: 0, max: 100, step: 5, "aria-label": "Strength of the map, per cent" });
  const contours = el("input", { type: "checkbox" });
  const legend = el("div", { class: "legend", role: "img" });
  const low = el("span", {}, "mattered least"), high = el("span", {}, "mattered most"), scale = el("span", { class: "scale" });
  legend.append(low, scale, high);
  const strength = el("label", { class: "strength" }, "Strength", slider);
  const lines = el("label", {}, contours, "Contours");
  const tools = el("div", { class: "tools" }, strength, lines);
  const caption = el("p", { class: "caption", "aria-live": "polite" });
  // On a phone the answer must have room below the photo: all but the pictures' names waits behind this.
  const more = button("More", () => { root.dataset.more = root.dataset.more !== "true"; more.setAttribute("aria-expanded", root.dataset.more); },
    { class: "more", "aria-expanded": "false", "aria-label": "More ways of looking" });
  const root = el("div", { class: "viewer" }, el("div", { class: "bar" }, layers, more, views, zooms), stage,
    el("div", { class: "below" }, legend, tools), caption);
  for (const [key, label] of VIEWS) views.append(button(label, () => set({ view: key }), { "data-view": key }));
  for (const [label, sign, act] of [["Zoom out", "−", () => zoomBy(1 / STEP)], ["Zoom in", "+", () => zoomBy(STEP)],
    ["Show all", "Fit", reset], ["Full screen", "Full", full]])
    zooms.append(button(sign, act, { "aria-label": label, title: label }));
  parent.append(root);

  function show(next) {
    if (!data || data.id !== next.id) Object.assign(state, { x: 0, y: 0, zoom: 1, layer: next.layers.length ? next.start : 0 });
    else if (!data.layers.length && next.layers.length) state.layer = next.start;
    state.layer = Math.min(state.layer, next.layers.length);
    data = next;
    stage.style.setProperty("--ratio", next.width / next.height);
    scale.style.background = `linear-gradient(to right, ${next.legend.join(",")})`;
    legend.setAttribute("aria-label", "Colour scale: clear and dark violet mattered least, yellow mattered most");
    for (const one of [left, right]) one.photo(next);
    layers.replaceChildren(button("Photo", () => set({ layer: 0 })), ...next.layers.map((layer, i) =>
      button(layer.short, () => set({ layer: i + 1 }))));
    draw();
  }

  function set(change) { Object.assign(state, change); draw(); }

  function draw() {
    const layer = data.layers[state.layer - 1], view = layer ? state.view : "over";
    stage.dataset.view = view;
    right.box.hidden = view !== "side";
    right.box.inert = view !== "side";
    handle.hidden = view !== "wipe";
    left.layer(view === "side" ? null : layer, state);
    right.layer(layer, state);
    left.cut(view === "wipe" ? state.wipe : 0);
    handle.style.left = `${state.wipe}%`;
    handle.setAttribute("aria-valuenow", Math.round(state.wipe));
    [...layers.children].forEach((b, i) => b.setAttribute("aria-pressed", i === state.layer));
    [...views.children].forEach(b => b.setAttribute("aria-pressed", b.dataset.view === view));
    views.hidden = zooms.hidden = false;
    [...views.children].forEach(b => { b.disabled = !layer; });
    slider.value = state.opacity;
    contours.checked = state.contours;
    legend.style.visibility = tools.style.visibility = layer ? "visible" : "hidden";
    root.dataset.plain = !data.layers.length;
    caption.textContent = layer ? layer.caption : data.caption;
    move();
  }

  function move() {
    const box = left.box.getBoundingClientRect(), w = box.width, h = box.height;
    const most = state.zoom - 1;
    state.x = clamp(state.x, -w * most, 0);
    state.y = clamp(state.y, -h * most, 0);
    for (const one of [left, right]) one.move(state);
    stage.dataset.zoomed = state.zoom > 1;
  }

  function zoomBy(factor, at) {
    const box = left.box.getBoundingClientRect();
    const px = at ? at.x : box.width / 2, py = at ? at.y : box.height / 2;
    const zoom = clamp(state.zoom * factor, 1, MOST), real = zoom / state.zoom;
    state.x = px - (px - state.x) * real;
    state.y = py - (py - state.y) * real;
    state.zoom = zoom;
    move();
  }

  function reset() { Object.assign(state, { x: 0, y: 0, zoom: 1 }); move(); }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (root.requestFullscreen) root.requestFullscreen().catch(() => root.classList.toggle("large"));
    else root.classList.toggle("large");  // phones that show only videos full
  }

  function place(event) {
    const under = event.clientX >= right.box.getBoundingClientRect().left && !right.box.hidden ? right : left;
    const box = under.box.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  // A page that scrolls past must not begin to zoom.
  let scrolled = 0;
  addEventListener("scroll", () => { scrolled = performance.now(); }, { capture: true, passive: true });
  stage.addEventListener("wheel", event => {
    const out = event.deltaY > 0;
    if (!event.ctrlKey && (performance.now() - scrolled < 400 || (out && state.zoom === 1))) return;
    event.preventDefault();
    zoomBy(Math.exp(-clamp(event.deltaY, -120, 120) / 400), place(event));
  }, { passive: false });
  stage.addEventListener("dblclick", event => state.zoom > 1 ? reset() : zoomBy(3, place(event)));

  const down = new Map();
  let swipe = null;
  stage.addEventListener("pointerdown", event => {
    if (event.target === handle) return;
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (state.zoom > 1 || down.size > 1 || event.pointerType === "mouse") stage.setPointerCapture(event.pointerId);
    swipe = down.size === 1 && state.zoom === 1 ? { x: event.clientX, y: event.clientY } : null;
  });
  stage.addEventListener("pointermove", event => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    if (down.size === 2) {
      const other = [...down].find(([id]) => id !== event.pointerId)[1];
      const far = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
      zoomBy(far(now, other) / Math.max(1, far(before, other)), place({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 }));
    } else if (state.zoom > 1) {
      state.x += now.x - before.x;
      state.y += now.y - before.y;
      move();
    }
    down.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, event => {
    down.delete(event.pointerId);
    if (!swipe || end === "pointercancel") return;
    const across = event.clientX - swipe.x, along = event.clientY - swipe.y;
    if (Math.abs(across) > 40 && Math.abs(across) > 2 * Math.abs(along)) turn(across < 0 ? 1 : -1);
    swipe = null;
  });

  handle.addEventListener("pointerdown", event => { handle.setPointerCapture(event.pointerId); event.stopPropagation(); });
  handle.addEventListener("pointermove", event => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = left.box.getBoundingClientRect();
    set({ wipe: clamp(100 * (event.clientX - box.left) / box.width, 0, 100) });
  });
  handle.addEventListener("keydown", event => {
    const by = { ArrowLeft: -5, ArrowRight: 5 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    set({ wipe: clamp(state.wipe + by, 0, 100) });
  });

  function turn(by) {
    const count = data.layers.length + 1;
    set({ layer: (state.layer + by + count) % count });
  }

  const pan = (x, y) => () => { state.x += x; state.y += y; move(); };
  const keys = {
    "+": () => zoomBy(STEP), "=": () => zoomBy(STEP), "-": () => zoomBy(1 / STEP), 0: reset, m: () => turn(1), f: full,
    v: () => set({ view: VIEWS[(VIEWS.findIndex(([key]) => key === state.view) + 1) % VIEWS.length][0] }),
    ArrowLeft: pan(KEY_PAN, 0), ArrowRight: pan(-KEY_PAN, 0), ArrowUp: pan(0, KEY_PAN), ArrowDown: pan(0, -KEY_PAN),
  };
  stage.addEventListener("keydown", event => {
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") && state.zoom === 1) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  slider.addEventListener("input", () => set({ opacity: Number(slider.value) }));
  contours.addEventListener("change", () => set({ contours: contours.checked }));
  new ResizeObserver(move).observe(stage);
  return { show };
}

// A picture, and above it a veil with the map: both move alike, and the veil alone is cut where the wipe stands.
function pane() {
  const picture = el("img", { draggable: "false" }), map = el("img", { class: "map", draggable: "false" });
  const frame = el("div", { class: "square", "aria-hidden": "true" }), over = el("div", { class: "over" }, map, frame);
  const worlds = [el("div", { class: "world" }, el("div", { class: "picture" }, picture)),
    el("div", { class: "world" }, el("div", { class: "picture" }, over))];
  const veil = el("div", { class: "veil" }, worlds[1]), box = el("div", { class: "pane" }, worlds[0], veil);
  return {
    box,
    photo(data) {
      if (picture.src !== data.photo) picture.src = data.photo;
      picture.alt = data.alt;
      ["left", "top", "width", "height"].forEach((side, i) => { over.style[side] = `${100 * data.square[i]}%`; });
      frame.hidden = data.square[2] > 0.999 && data.square[3] > 0.999;
    },
    layer(layer, state) {
      over.hidden = !layer;
      if (!layer) return;
      const wanted = state.contours ? layer.contours : layer.colours;
      if (map.src !== wanted) map.src = wanted;
      map.alt = layer.alt;
      map.style.opacity = state.contours ? 1 : state.opacity / 100;
    },
    move(state) {
      for (const world of worlds) world.style.transform = `translate(${state.x}px,${state.y}px) scale(${state.zoom})`;
    },
    cut(percent) { veil.style.clipPath = percent ? `inset(0 0 0 ${percent}%)` : ""; },
  };
}

function button(label, act, attributes = {}) {
  const made = el("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

function clamp(value, low, high) { return Math.min(Math.max(value, low), high); }
