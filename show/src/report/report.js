"use strict";
// What a reader can do with the pictures. Without this script they can still be read.
(() => {
  const view = JSON.parse(document.getElementById("milp-view").textContent);
  const at = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const names = ["a", "b"].slice(0, view.panels.length);
  const slider = at("slot");
  const things = all(".mark, .arrow[id]");
  let selected = null;
  let cursor = null;

  // A browser would show titles as tooltips of its own, late and cut short.
  for (const thing of things) {
    const title = thing.querySelector("title");
    thing.dataset.title = title.textContent;
    title.remove();
    if (thing.matches(".mark")) {
      thing.setAttribute("role", "button");
      thing.setAttribute("aria-label", thing.dataset.title);
      thing.setAttribute("tabindex", "-1");
    } else {
      // The details of a mark list its copies as buttons.
      thing.setAttribute("aria-hidden", "true");
    }
  }
  for (const name of names) {
    at(name).setAttribute("role", "group");
    all(`#${name} .mark`)[0]?.setAttribute("tabindex", "0");
  }
  at("controls").hidden = false;

  // Details ------------------------------------------------------------------------------------

  const element = (tag, text) => {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  };
  const goTo = (id, text) => {
    const button = element("button", text);
    button.type = "button";
    button.addEventListener("click", () => select(id));
    return button;
  };
  // The arrow that a tag belongs to, or the mark or arrow itself.
  const thingAt = (target) => {
    const thing = target.closest?.(".mark, .arrow[id], .tagged");
    return thing?.dataset.way ? at(thing.dataset.way) : thing;
  };
  const panelOf = (id) => view.panels[names.indexOf(id[0])];
  const numberOf = (id) => Number(id.slice(3));

  function describe(id, sets) {
    const thing = at(id);
    const box = at("details");
    box.replaceChildren(element("p", thing.dataset.title));
    if (sets) {
      box.append(element("p", `Causal past: ${sets.past.size} events. Causal future: ${sets.future.size} events.`));
    }
    const links = document.createElement("p");
    if (thing.matches(".mark")) {
      const cause = panelOf(id).marks[numberOf(id)][2];
      if (cause !== null) links.append(goTo(`${id[0]}-m${cause}`, "its sending"));
      for (const way of all(`#${id[0]} .arrow[data-from="${numberOf(id)}"]`)) {
        links.append(goTo(way.id, `copy for replica ${way.dataset.q}`));
      }
    } else {
      links.append(goTo(`${id[0]}-m${thing.dataset.from}`, "its sending"));
      if (thing.dataset.into) links.append(goTo(`${id[0]}-m${thing.dataset.into}`, "its arrival"));
    }
    box.append(links);
    box.dispatchEvent(new CustomEvent("described", { detail: id }));
  }

  const tip = at("tip");
  function point(event) {
    const thing = thingAt(event.target);
    tip.hidden = !thing;
    if (!thing) return;
    tip.textContent = thing.dataset.title;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 18;
    const top = below + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : below;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, top)}px`;
  }

  // Causal past and future ---------------------------------------------------------------------

  // Who comes directly before each mark: the one before it on its lane, and the sending.
  const befores = view.panels.map(({ marks }) => {
    const last = new Map();
    return marks.map(([replica, , cause], mark) => {
      const before = [];
      if (last.has(replica)) before.push(last.get(replica));
      if (cause !== null) before.push(cause);
      last.set(replica, mark);
      return before;
    });
  });
  const afters = befores.map((before) => {
    const after = before.map(() => []);
    before.forEach((list, mark) => list.forEach((earlier) => after[earlier].push(mark)));
    return after;
  });
  function reach(start, edges) {
    const seen = new Set();
    const next = [start];
    while (next.length > 0) {
      for (const other of edges[next.pop()]) {
        if (!seen.has(other)) {
          seen.add(other);
          next.push(other);
        }
      }
    }
    return seen;
  }

  // Whether a copy is in the past or the future of what is selected, or in neither.
  function sideOf(way, { from, isMark, past, future }) {
    const start = Number(way.dataset.from);
    const end = way.dataset.into === undefined ? null : Number(way.dataset.into);
    if (isMark && start === from) return "future";
    if (end === null) return null;
    if (past.has(start) && (past.has(end) || (isMark && end === from))) return "past";
    return future.has(end) && (future.has(start) || start === from) ? "future" : null;
  }

  // A mark or an arrow, with the tag on it.
  function paint(id, side) {
    for (const thing of [at(id), at(id.replace("-c", "-t"))]) thing?.classList.add("on", side);
  }

  function select(id) {
    const thing = at(id);
    if (!thing || !thing.matches(".mark, .arrow[id]")) return;
    clear(false);
    selected = id;
    const name = id[0];
    const number = names.indexOf(name);
    const isMark = thing.matches(".mark");
    const from = isMark ? numberOf(id) : Number(thing.dataset.from);
    const into = isMark ? from : thing.dataset.into;
    const past = reach(from, befores[number]);
    const future = into === undefined ? new Set() : reach(Number(into), afters[number]);
    if (!isMark) {
      past.add(from);
      if (into !== undefined) future.add(Number(into));
    }
    for (const mark of past) paint(`${name}-m${mark}`, "past");
    for (const mark of future) paint(`${name}-m${mark}`, "future");
    for (const way of all(`#${name} .arrow[id]`)) {
      const side = sideOf(way, { from, isMark, past, future });
      if (side) paint(way.id, side);
    }
    paint(id, isMark ? "on" : "chosen");
    thing.classList.add("on", "chosen");
    at(`${name}-figure`).classList.add("selecting");
    if (isMark) rove(thing, false);
    describe(id, { past, future });
    remember();
  }

  function clear(also = true) {
    selected = null;
    for (const thing of all(".on, .chosen")) thing.classList.remove("on", "chosen", "past", "future");
    for (const figure of all(".selecting")) figure.classList.remove("selecting");
    if (also) {
      at("details").replaceChildren(element("p", "Nothing."));
      remember();
    }
  }

  // The slot cursor ----------------------------------------------------------------------------

  function moveTo(slot) {
    const low = Number(slider.min);
    cursor = Math.min(Math.max(slot, low), Number(slider.max));
    slider.value = String(cursor);
    at("now").textContent = String(cursor);
    names.forEach((name, number) => {
      const { columns, states } = view.panels[number];
      const column = columns.find(([, last]) => cursor <= last) ?? columns[columns.length - 1];
      for (const mark of all(`#${name}-figure .cursor`)) {
        mark.setAttribute("x", column[2]);
        mark.setAttribute("width", column[3]);
        mark.setAttribute("visibility", "visible");
      }
      at(`${name}-at`).textContent = String(cursor);
      at(`${name}-states`).replaceChildren(...states.map((list, replica) => row(list, replica)));
    });
    remember();
  }

  function row(list, replica) {
    const known = list.filter(([slot]) => slot <= cursor);
    const { words, tallies } = known.length > 0 ? known[known.length - 1][1] : { words: [], tallies: [] };
    const line = document.createElement("tr");
    const head = element("th", String(replica));
    head.scope = "row";
    const quorums = document.createElement("ul");
    for (const { what, who, have, need } of tallies) {
      const lacks = have >= need ? "a quorum" : `${need - have} more needed`;
      const entry = element("li", `${what}: ${have} of ${need} (${who.join(", ")}), ${lacks}`);
      if (have >= need) entry.className = "full";
      quorums.append(entry);
    }
    const cell = document.createElement("td");
    cell.append(quorums);
    line.append(head, element("td", words.join(", ")), cell);
    return line;
  }

  // What is shown ------------------------------------------------------------------------------

  function toggle() {
    const off = (group) =>
      new Set(all(`input[data-${group}]`).filter((box) => !box.checked).map((box) => box.dataset[group]));
    const [kinds, replicas, views] = ["kind", "replica", "view"].map(off);
    for (const thing of all(".milp [data-r], .milp [data-v]")) {
      const { k, r, q, v } = thing.dataset;
      const hidden = kinds.has(k) || replicas.has(r) || replicas.has(q) || views.has(v);
      thing.classList.toggle("off", hidden);
    }
    for (const svg of all("svg.milp")) svg.classList.toggle("acts", at("acts").checked);
    for (const banner of all(".part")) banner.hidden = !at("acts").checked;
    at("panels").classList.toggle("beside", at("beside")?.checked ?? false);
    // The mark that Tab reaches must be one that is there.
    for (const name of names) {
      const current = at(name).querySelector('.mark[tabindex="0"]');
      if (current && isHidden(current)) {
        const first = all(`#${name} .mark`).find((mark) => !isHidden(mark));
        if (first) rove(first, false);
      }
    }
  }
  const isHidden = (mark) =>
    mark.closest(".off") !== null || (mark.matches(".plain") && at("acts").checked);

  async function copy(name) {
    const svg = at(name).cloneNode(true);
    all(".off, .cursor", svg).forEach((thing) => thing.remove());
    if (svg.matches(".acts")) all(".plain", svg).forEach((thing) => thing.remove());
    for (const thing of all("[data-title]", svg)) {
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = thing.dataset.title;
      thing.prepend(title);
      for (const key of ["role", "aria-label", "aria-hidden", "tabindex", "data-title"]) thing.removeAttribute(key);
      thing.classList.remove("on", "chosen", "past", "future");
    }
    svg.classList.remove("acts");
    svg.setAttribute("role", "img");
    // Alone, a picture is light and knows no variables.
    const drawn = new XMLSerializer().serializeToString(svg);
    const text = drawn.replace(/var\(--([\w-]+)\)/g, (_, colour) => view.light[colour]);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A page opened from a file may not use the clipboard's interface.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    at("said").textContent = "copied";
  }

  // Keys ---------------------------------------------------------------------------------------

  function rove(mark, focus = true) {
    for (const old of all('.mark[tabindex="0"]', mark.closest("svg"))) old.setAttribute("tabindex", "-1");
    mark.setAttribute("tabindex", "0");
    if (focus) {
      mark.focus();
      mark.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  function key(event) {
    const mark = event.target.closest?.(".mark");
    if (event.key === "Escape") return clear();
    if (!mark || event.ctrlKey || event.altKey || event.metaKey) return;
    const svg = mark.closest("svg");
    const shown = all(".mark", svg).filter((other) => !isHidden(other));
    const lane = (r) => shown.filter((other) => other.dataset.r === String(r));
    const own = lane(mark.dataset.r);
    const here = own.indexOf(mark);
    const x = (other) => other.querySelector(".hit").cx.baseVal.value;
    const nearest = (step) => {
      const lanes = [...new Set(shown.map((other) => Number(other.dataset.r)))].sort((one, two) => one - two);
      const r = lanes[lanes.indexOf(Number(mark.dataset.r)) + step];
      const others = r === undefined ? [] : lane(r);
      return others.sort((one, two) => Math.abs(x(one) - x(mark)) - Math.abs(x(two) - x(mark)))[0];
    };
    const steps = {
      ArrowLeft: () => own[here - 1],
      ArrowRight: () => own[here + 1],
      ArrowUp: () => nearest(-1),
      ArrowDown: () => nearest(1),
      Home: () => own[0],
      End: () => own[own.length - 1],
    };
    const acts = {
      Enter: () => select(mark.id),
      " ": () => select(mark.id),
      PageUp: () => moveTo((cursor ?? Number(slider.value)) - 1),
      PageDown: () => moveTo((cursor ?? Number(slider.value)) + 1),
    };
    if (event.key in steps) {
      const next = steps[event.key]();
      if (next) rove(next);
    } else if (event.key in acts) {
      acts[event.key]();
    } else {
      return;
    }
    event.preventDefault();
  }

  // The fragment of the address ----------------------------------------------------------------

  function remember() {
    // The fates of copies that whatif.js keeps there stay.
    const parts = location.hash.slice(1).split("&").filter((part) => part.startsWith("what-if="));
    if (cursor !== null) parts.push(`slot=${cursor}`);
    if (selected !== null) parts.push(`select=${selected}`);
    const part = at("acts").checked;
    if (part !== view.many) parts.push(`view=${part ? "attack" : "all"}`);
    history.replaceState(null, "", parts.length > 0 ? `#${parts.join("&")}` : location.href.split("#")[0]);
  }
  function recall() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    at("acts").checked = wanted.has("view") ? wanted.get("view") === "attack" : view.many;
    toggle();
    if (/^\d+$/.test(wanted.get("slot") ?? "")) moveTo(Number(wanted.get("slot")));
    if (wanted.has("select")) {
      select(wanted.get("select"));
      const chosen = selected === null ? null : at(selected);
      chosen?.scrollIntoView({ block: "center", inline: "center" });
    }
  }

  // Two pictures have the same columns: they scroll together, and begin where they differ.
  const scrolls = names.map((name) => at(name).parentElement);
  if (scrolls.length > 1) {
    for (const one of scrolls) {
      one.addEventListener("scroll", () => {
        for (const other of scrolls) if (other.scrollLeft !== one.scrollLeft) other.scrollLeft = one.scrollLeft;
      });
    }
  }
  function showDifference() {
    const first = document.querySelector(".mark.differs .hit");
    if (first) scrolls[0].scrollLeft = first.cx.baseVal.value - scrolls[0].clientWidth / 2;
  }

  document.addEventListener("mouseover", point);
  document.addEventListener("mousemove", point);
  document.addEventListener("keydown", key);
  document.addEventListener("focusin", (event) => {
    const mark = event.target.closest?.(".mark");
    if (mark && selected === null) describe(mark.id, null);
  });
  for (const svg of all("svg.milp")) {
    svg.addEventListener("click", (event) => {
      const thing = thingAt(event.target);
      if (thing) select(thing.id);
      else clear();
    });
  }
  slider.addEventListener("input", () => moveTo(Number(slider.value)));
  at("back").addEventListener("click", () => moveTo((cursor ?? Number(slider.value)) - 1));
  at("forth").addEventListener("click", () => moveTo((cursor ?? Number(slider.value)) + 1));
  at("clear").addEventListener("click", () => clear());
  at("controls").addEventListener("change", () => {
    toggle();
    remember();
  });
  for (const button of all("[data-all]")) button.addEventListener("click", () => at("acts").click());
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const button of all("[data-copy]")) button.addEventListener("click", () => copy(button.dataset.copy));
  addEventListener("hashchange", recall);
  // Where there is little room the controls wait until they are asked for.
  const narrow = matchMedia("(max-width: 700px)");
  const fold = () => (at("options").open = !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();
  showDifference();
  recall();
})();
