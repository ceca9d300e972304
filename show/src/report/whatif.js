"use strict";
// What if: other fates for copies, replayed by the module that is in the page.
(() => {
  const at = (id) => document.getElementById(id);
  const { setting, copies } = JSON.parse(at("milp-what-if").textContent);
  const byArrow = new Map(copies.map((copy) => [copy.arrow, copy]));
  const NAMES = { on_time: "on time", withheld: "withheld", lost: "lost for ever" };
  const LETTERS = { on_time: "o", withheld: "w", lost: "l" };
  // What is otherwise: arrow to fate.
  const fates = new Map();
  // Copies in the table: those that the adversary touched, and those that were selected.
  const listed = new Set(copies.filter((copy) => copy.acted).map((copy) => copy.arrow));
  let asked = 0;

  const element = (tag, text, ...children) => {
    const made = document.createElement(tag);
    made.textContent = text;
    made.append(...children);
    return made;
  };
  const list = (items) => element("ul", "", ...items.map((item) => element("li", item)));

  // The module ---------------------------------------------------------------------------------

  let module = null;
  let instance = null;
  async function compile() {
    const bytes = Uint8Array.from(atob(at("milp-module").textContent), (letter) => letter.charCodeAt(0));
    if (bytes[0] === 0) return WebAssembly.compile(bytes);
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return WebAssembly.compile(await new Response(unpacked).arrayBuffer());
  }
  async function replay(edits) {
    if (instance === null) {
      module ??= await compile();
      instance = (await WebAssembly.instantiate(module, {})).exports;
    }
    const question = new TextEncoder().encode(JSON.stringify({ setting, edits }));
    const from = instance.question(question.length);
    new Uint8Array(instance.memory.buffer, from, question.length).set(question);
    try {
      const length = instance.replay();
      const answer = new Uint8Array(instance.memory.buffer, instance.place(), length);
      return JSON.parse(new TextDecoder().decode(answer));
    } catch (error) {
      // What broke down is not asked again.
      instance = null;
      return { error: `the replay broke down: ${error}` };
    }
  }

  // The table ----------------------------------------------------------------------------------

  function choice(copy) {
    const select = document.createElement("select");
    const what = `${copy.message} from replica ${copy.from} to replica ${copy.to}, sent in slot ${copy.sent}`;
    select.setAttribute("aria-label", `What if: ${what}`);
    for (const fate of ["", ...copy.fates]) {
      const option = element("option", fate === "" ? "as scheduled" : NAMES[fate]);
      option.value = fate;
      select.append(option);
    }
    select.dataset.copy = copy.arrow;
    select.value = fates.get(copy.arrow) ?? "";
    select.addEventListener("change", () => {
      listed.add(copy.arrow);
      set(copy, select.value);
      changed();
      // Its own row or place was made anew.
      const again = document.querySelector(`#what-if-copies [data-copy="${copy.arrow}"]`);
      if (!document.contains(select)) again?.focus();
    });
    return select;
  }
  function set(copy, fate) {
    if (copy.fates.includes(fate)) fates.set(copy.arrow, fate);
    else fates.delete(copy.arrow);
  }
  function table() {
    const rows = copies.filter((copy) => listed.has(copy.arrow) || fates.has(copy.arrow));
    at("what-if-copies").replaceChildren(...rows.map((copy) => {
      const cells = [copy.message, copy.from, copy.to, `slot ${copy.sent}`, copy.now];
      const row = element("tr", "", element("td", "", choice(copy)));
      row.append(...cells.map((cell) => element("td", String(cell))));
      row.classList.toggle("otherwise", fates.has(copy.arrow));
      return row;
    }));
    for (const select of document.querySelectorAll("#details select[data-copy]")) {
      select.value = fates.get(Number(select.dataset.copy)) ?? "";
    }
    for (const copy of copies) at(`a-c${copy.arrow}`)?.classList.toggle("otherwise", fates.has(copy.arrow));
  }

  // The details of an arrow offer its fates as well.
  at("details").addEventListener("described", ({ detail: id }) => {
    const copy = id.startsWith("a-c") ? byArrow.get(Number(id.slice(3))) : undefined;
    if (copy) at("details").append(element("p", "What if it is… ", choice(copy)));
  });

  // The answer ---------------------------------------------------------------------------------

  const badges = (end) => element("p", "", ...end.badges.flatMap(([word, kind]) => {
    const badge = element("span", word);
    badge.className = `badge ${kind}`;
    return [badge, " "];
  }));
  function decided({ before, after }) {
    const cell = (blocks) => (blocks === null ? "Byzantine" : blocks.join(", ") || "nothing");
    const head = element("tr", "");
    for (const name of ["replica", "decides by the schedule", "decides now"]) {
      const th = element("th", name);
      th.scope = "col";
      head.append(th);
    }
    const rows = after.decided.map((blocks, replica) => {
      const row = element("tr", "", element("th", String(replica)));
      row.firstChild.scope = "row";
      const [was, is] = [cell(before.decided[replica]), cell(blocks)];
      row.classList.toggle("otherwise", was !== is);
      row.append(element("td", was), element("td", is));
      return row;
    });
    const made = element("table", "", element("thead", "", head), element("tbody", "", ...rows));
    made.className = "states";
    return made;
  }
  function picture(svg) {
    const box = document.createElement("div");
    box.className = "scroll";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Space-time diagram of what happens now");
    box.innerHTML = svg;
    // As in the first picture: the page has its own tooltips.
    for (const title of box.querySelectorAll("g > title")) {
      title.parentElement.dataset.title = title.textContent;
      title.remove();
    }
    return box;
  }
  const folded = (title, body) => element("details", "", element("summary", title), body);

  function show(answer) {
    const [said, box] = [at("what-if-said"), at("what-if-answer")];
    said.replaceChildren();
    box.replaceChildren();
    if (answer === null) return;
    if (answer.error !== undefined) return said.append(`There is no replay of that: ${answer.error}.`);
    const { before, after, only, engine, schedule } = answer;
    const result = element("p", after.result);
    result.className = "result";
    said.append(result, badges(after));
    const shown = after.why.length > 0 ? [list(after.why)] : [];
    shown.push(element("p", `By the schedule: ${before.result}`), decided(answer));
    for (const [which, title] of ["Does not happen any more", "Happens only now"].entries()) {
      const lines = only[which];
      const body = lines.length > 0 ? list(lines) : element("p", "Nothing.");
      shown.push(folded(`${title} (${lines.length})`, body));
    }
    shown.push(element("p", `What ${engine} does then; rings mark what is otherwise:`), picture(answer.picture));
    const text = element("pre", schedule);
    text.id = "what-if-schedule";
    text.tabIndex = 0;
    shown.push(folded(`Every sentence of the verdict (${after.notes.length})`, list(after.notes)));
    shown.push(folded("schedule.csv with these fates, for milp replay", text));
    box.append(...shown);
  }

  async function changed(also = true) {
    table();
    if (also) remember();
    const number = ++asked;
    if (fates.size === 0) {
      at("what-if").removeAttribute("aria-busy");
      return show(null);
    }
    at("what-if").setAttribute("aria-busy", "true");
    const edits = copies.filter((copy) => fates.has(copy.arrow));
    const answer = await replay(edits.map((copy) => ({ row: copy.row, fate: fates.get(copy.arrow) })));
    if (number !== asked) return;
    show(answer);
    at("what-if").removeAttribute("aria-busy");
  }

  // The fragment of the address: what-if=12o,30w ------------------------------------------------

  function remember() {
    const others = location.hash.slice(1).split("&").filter((part) => part !== "" && !part.startsWith("what-if="));
    const own = [...fates].map(([arrow, fate]) => `${arrow}${LETTERS[fate]}`);
    const parts = own.length > 0 ? [...others, `what-if=${own.join(",")}`] : others;
    history.replaceState(null, "", parts.length > 0 ? `#${parts.join("&")}` : location.href.split("#")[0]);
  }
  function recall() {
    fates.clear();
    const wanted = new URLSearchParams(location.hash.slice(1)).get("what-if") ?? "";
    for (const [, arrow, letter] of wanted.matchAll(/(\d+)([owl])/g)) {
      const copy = byArrow.get(Number(arrow));
      const fate = Object.keys(LETTERS).find((name) => LETTERS[name] === letter);
      if (copy) set(copy, fate);
    }
    changed(false);
    const first = at("what-if-copies").querySelector(".otherwise");
    if (first) first.closest(".few").scrollTop = first.offsetTop - first.offsetHeight;
  }

  at("what-if-reset").addEventListener("click", () => {
    fates.clear();
    changed();
  });
  addEventListener("hashchange", recall);
  at("what-if").hidden = false;
  recall();
})();
