// The whole photo, and a square over it that is dragged, sized at its corners, or moved by keys. Nothing is fetched.
const STEP = 0.01, LEAP = 0.05;  // of the photo's shorter side, by one key
const HINT = "Arrow keys move it, with Shift faster; plus and minus size it; Enter reads it";
const CORNERS = [["nw", 1, 1], ["ne", 0, 1], ["sw", 1, 0], ["se", 0, 0]];  // name, and whether the left and the upper edge move

export default function ({ data, parentElement, setTriggerValue }) {
  const kept = (parentElement.melascope ??= build(parentElement));
  kept.show(data, value => setTriggerValue("chosen", value));
  return () => {};
}

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function button(label, act, attributes = {}) {
  const made = el("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

function clamp(value, low, high) { return Math.min(Math.max(value, low), high); }

function build(parent) {
  let data = null, square = [0, 0, 1], send = () => {};
  const picture = el("img", { draggable: "false", alt: "The whole photo" });
  const box = el("div", { class: "box", tabindex: 0, role: "group", "aria-roledescription": "movable square",
    "aria-label": "The square that is read", "aria-description": HINT }, ...CORNERS.map(([name]) => el("i", { class: name, "data-corner": name })));
  const stage = el("div", { class: "stage" }, el("div", { class: "picture" }, picture, box));
  const told = el("p", { class: "told", "aria-live": "polite" });
  const suggest = button("Suggested square", () => move(data.suggested));
  const root = el("div", { class: "framer" },
    el("p", { class: "hint" }, "Drag the square, or its corners, so that the lesion fills the middle, without black corners. " + HINT + "."),
    stage, told,
    el("div", { class: "bar" }, button("Read this square", () => send(square.map(Math.round)), { class: "first" }), suggest,
      button("Read the whole photo", () => send("whole")), button("Cancel", () => send("shut"))));
  parent.append(root);

  function show(next, tell) {
    send = tell;
    const again = data && data.id === next.id && String(data.square) === String(next.square);
    data = next;
    stage.style.setProperty("--ratio", data.width / data.height);
    if (picture.src !== data.photo) picture.src = data.photo;
    move(again ? square : data.square);
  }

  function move([left, top, side]) {
    side = clamp(side, data.least, Math.min(data.width, data.height));
    square = [clamp(left, 0, data.width - side), clamp(top, 0, data.height - side), side];
    [["left", square[0] / data.width], ["top", square[1] / data.height], ["width", side / data.width], ["height", side / data.height]]
      .forEach(([name, share]) => { box.style[name] = `${100 * share}%`; });
    const [x, y, s] = square.map(Math.round);
    told.textContent = `${s} x ${s} pixels, ${x} from the left and ${y} from the top.`;
  }

  function grow(by) { move([square[0] - by / 2, square[1] - by / 2, square[2] + by]); }

  const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  box.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = Math.min(data.width, data.height) * (event.shiftKey ? LEAP : STEP), way = keys[event.key];
    if (way) move([square[0] + way[0] * step, square[1] + way[1] * step, square[2]]);
    else if (event.key === "+" || event.key === "=") grow(step * 2);
    else if (event.key === "-" || event.key === "_") grow(-step * 2);
    else if (event.key === "Enter") send(square.map(Math.round));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  let held = null;
  box.addEventListener("pointerdown", event => {
    box.setPointerCapture(event.pointerId);
    held = { x: event.clientX, y: event.clientY, square, corner: CORNERS.find(([name]) => name === event.target.dataset.corner) };
    box.focus();
    event.preventDefault();
  });
  box.addEventListener("pointermove", event => {
    if (!held) return;
    const scale = data.width / picture.getBoundingClientRect().width;
    const across = (event.clientX - held.x) * scale, down = (event.clientY - held.y) * scale, [left, top, side] = held.square;
    if (!held.corner) return move([left + across, top + down, side]);
    const [, fromLeft, fromTop] = held.corner, right = left + side, bottom = top + side;
    // The opposite corner stays where it is.
    const room = Math.min(fromLeft ? right : data.width - left, fromTop ? bottom : data.height - top);
    const grown = clamp(side + ((fromLeft ? -across : across) + (fromTop ? -down : down)) / 2, data.least, room);
    move([fromLeft ? right - grown : left, fromTop ? bottom - grown : top, grown]);
  });
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => { held = null; });
  return { show };
}
