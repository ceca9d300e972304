// Opens every file that `milp export` wrote into the folders of the folder given, each with its
// target's own parser or, where none is on a registry, against what the target's manual asks for.
// Each check is also shown a broken file first: one that takes everything proves nothing.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import assert from 'node:assert/strict';
import Ajv from 'ajv';
import mermaid from 'mermaid';
import tikzjax from 'node-tikzjax';

const here = dirname(fileURLToPath(import.meta.url));

async function checkMermaid(text) {
  assert.equal((await mermaid.parse(text)).diagramType, 'sequence');
}

// TeX ends with an error for whatever it does not understand.
async function checkTikz(text) {
  const body = text.replace(/\\documentclass.*\n/, '');
  const render = tikzjax.default ?? tikzjax;
  const svg = await render(body, { showConsole: false });
  assert.match(svg, /^<svg/);
  const [asked, drawn] = [text.match(/\\draw/g), svg.match(/<path|<line/g)].map((it) => it?.length ?? 0);
  assert.ok(asked > 0 && drawn >= asked, `${drawn} of ${asked} lines are drawn`);
}

const itf = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(join(here, 'itf.schema.json'), 'utf8')));

function checkItf(text) {
  const trace = JSON.parse(text);
  assert.ok(itf(trace), JSON.stringify(itf.errors));
  trace.states.forEach((state, index) => {
    const vars = Object.keys(state).filter((key) => key !== '#meta').sort();
    assert.deepEqual(vars, [...trace.vars].sort(), 'a state has other variables');
    assert.equal(state['#meta']?.index ?? index, index);
  });
}

// The manual: the first line is the regular expression, the second the delimiter of executions,
// empty for one; every event has its host in its clock; of a host the first event has 1, and each
// later one 1 more; what a clock knows of another host that host has reached.
function checkShiviz(text) {
  const [regex, delimiter, ...log] = text.split('\n');
  assert.equal(delimiter, '');
  const body = log.join('\n');
  const events = [...body.matchAll(new RegExp(regex, 'gm'))];
  assert.equal(events.map((event) => event[0]).join('\n').trim(), body.trim(), 'unread lines');
  const reached = {};
  for (const { groups: { host, clock } } of events) {
    const known = JSON.parse(clock);
    assert.equal(known[host], (reached[host] ?? 0) + 1, `the clock of ${host}`);
    for (const [other, count] of Object.entries(known)) {
      assert.ok(other === host || count <= (reached[other] ?? 0), `${host} knows too much`);
    }
    reached[host] = known[host];
  }
  assert.ok(events.length > 5);
}

// The trace event format: known phases, numbers where numbers belong, slices of a thread that
// nest, arrows whose ends are both there, inside a slice of their thread, forwards in time.
function checkChrome(text) {
  const { traceEvents: events } = JSON.parse(text);
  const slices = {};
  const arrows = {};
  for (const event of events) {
    assert.ok(['M', 'X', 's', 'f'].includes(event.ph), event.ph);
    for (const key of ['ts', 'pid', 'tid']) assert.ok(Number.isInteger(event[key]), key);
    assert.equal(typeof event.name, 'string');
    if (event.ph === 'X') {
      assert.ok(Number.isInteger(event.dur) && event.dur >= 0);
      (slices[event.tid] ??= []).push([event.ts, event.ts + event.dur]);
    }
    if (event.ph === 's' || event.ph === 'f') (arrows[event.id] ??= {})[event.ph] = event;
  }
  for (const thread of Object.values(slices)) {
    for (const [a, b] of thread) {
      for (const [c, d] of thread) {
        assert.ok(!(a < c && c < b && b < d), `slices overlap: ${a}-${b}, ${c}-${d}`);
      }
    }
  }
  for (const { s, f } of Object.values(arrows)) {
    assert.ok(s && f, 'an arrow with one end');
    assert.ok(s.ts < f.ts, 'an arrow into the past');
    for (const end of [s, f]) {
      const inside = slices[end.tid].some(([from, to]) => from <= end.ts && end.ts < to);
      assert.ok(inside, 'an end outside of all slices');
    }
  }
}

// What relab/hotstuff reads: settings, and scenarios whose parts are a partition of the nodes.
function checkTwins(text, names) {
  const file = JSON.parse(text);
  const keys = ['num_nodes', 'num_twins', 'partitions', 'scenarios', 'seed', 'shuffle', 'ticks', 'views'];
  assert.deepEqual(Object.keys(file).sort(), keys);
  assert.ok(file.ticks > 0);
  for (const scenario of file.scenarios) {
    assert.equal(scenario.length, file.views);
    for (const { leader, partitions } of scenario) {
      assert.ok(leader >= 1 && leader <= file.num_nodes);
      assert.ok(partitions.length <= file.partitions);
      assert.deepEqual(partitions.flat().map((node) => JSON.stringify(node)).sort(), names(file).sort());
    }
  }
}

// Numbers run through all nodes.
function numbers(file) {
  return Array.from({ length: file.num_nodes + file.num_twins }, (_, index) => `${index + 1}`);
}

// The first replicas have twins, 1 and 2; of the others TwinID is 0.
function objects(file) {
  const nodes = [];
  for (let ReplicaID = 1; ReplicaID <= file.num_nodes; ReplicaID += 1) {
    const twins = ReplicaID <= file.num_twins ? [1, 2] : [0];
    for (const TwinID of twins) nodes.push(JSON.stringify({ ReplicaID, TwinID }));
  }
  return nodes;
}

const checks = {
  chrome: [checkChrome, (text) => text.replace('"ph": "f"', '"ph": "t"')],
  itf: [checkItf, (text) => text.replace('"vars"', '"variables"')],
  mermaid: [checkMermaid, (text) => text.replace('participant', 'participant participant >>')],
  shiviz: [checkShiviz, (text) => text.replace(/"r0":2/, '"r0":3')],
  tikz: [checkTikz, (text) => text.replace('\\draw', '\\undefinedcommand')],
  twins: [(text) => checkTwins(text, numbers), (text) => text.replace('"leader"', '"primary"')],
  'twins-objects': [(text) => checkTwins(text, objects), (text) => text.replace('"TwinID": 0', '"TwinID": 1')],
};

let checked = 0;
const out = process.argv[2];
const dirs = readdirSync(out).filter((name) => statSync(join(out, name)).isDirectory()).sort();
for (const [number, dir] of dirs.entries()) {
  for (const [format, [check, spoil]] of Object.entries(checks)) {
    const text = readFileSync(join(out, dir, format), 'utf8');
    if (number === 0) {
      const spoiled = spoil(text);
      assert.notEqual(spoiled, text, `${format}: nothing to spoil`);
      await assert.rejects(async () => check(spoiled), `${format}: a broken file is taken`);
    }
    try {
      await check(text);
    } catch (error) {
      console.error(`${dir}/${format}: ${error.message}`);
      process.exitCode = 1;
    }
    checked += 1;
  }
}
console.log(`${checked} files checked`);
// The TeX engine keeps a worker.
process.exit(process.exitCode ?? 0);
