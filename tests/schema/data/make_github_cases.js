// Run by make_github_cases.sh. Writes to the folder named:
//   github-schema.json.gz     the schema of all events: oneOf, over definitions
//   github-payloads.jsonl.gz  {"event", "payload"} a line, each payload once
//   github-cases.jsonl.gz     {"payload": line from 0, "change": JSON Patch, "definition": its event's, and what Ajv
//                             says: "event": fits that definition, "any": fits the schema of all events}
const fs = require("fs");
const path = require("path");
const zlib = require("zlib");
const Ajv = require("ajv");

const folder = process.argv[2];
const schema = require("@octokit/webhooks-schemas/schema.json");
const write = (name, text) =>
  fs.writeFileSync(path.join(folder, name), zlib.gzipSync(text, { level: 9 }));

const lines = new Set();
for (const source of ["api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"]) {
  for (const { name, examples } of require(`@octokit/webhooks-examples/${source}/index.json`)) {
    for (const payload of examples) lines.add(JSON.stringify({ event: name, payload }));
  }
}

let state = 20260101;
const below = (bound) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 4294967296) * bound);
};
const step = (name) => "/" + String(name).replace(/~/g, "~0").replace(/\//g, "~1");
const others = [null, true, 7, -1, 4.5, "", "something else", [], {}, [1], { a: 1 }];

/** One change somewhere in the value: a member goes, comes, or is another one. */
const change = (value) => {
  let at = value;
  let pointer = "";
  for (;;) {
    const names = Object.keys(at);
    if (names.length === 0) return [{ op: "add", path: pointer + (Array.isArray(at) ? "/-" : "/x"), value: 1 }];
    const name = names[below(names.length)];
    if (at[name] !== null && typeof at[name] === "object" && below(3) > 0) {
      at = at[name];
      pointer += step(name);
      continue;
    }
    const kind = below(5);
    if (kind === 0) return [{ op: "remove", path: pointer + step(name) }];
    if (kind === 1 && !Array.isArray(at)) return [{ op: "add", path: pointer + "/added_later", value: "x" }];
    return [{ op: "replace", path: pointer + step(name), value: others[below(others.length)] }];
  }
};
const apply = (value, patch) => {
  const changed = JSON.parse(JSON.stringify(value));
  for (const { op, path: pointer, value: to } of patch) {
    const names = pointer.slice(1).split("/").map((n) => n.replace(/~1/g, "/").replace(/~0/g, "~"));
    const last = names.pop();
    const parent = names.reduce((at, name) => at[name], changed);
    if (op !== "remove") parent[last === "-" ? parent.length : last] = to;
    else if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else delete parent[last];
  }
  return changed;
};

const ajv = new Ajv({ format: false, logger: false });
ajv.addSchema(schema, "github");
const any = ajv.getSchema("github");
const events = new Set(schema.oneOf.map((one) => one.$ref.split("/").pop()));
const cases = [];
const seen = { event: [0, 0], any: [0, 0] };
[...lines].forEach((line, number) => {
  const { event, payload } = JSON.parse(line);
  const definition = [`${event}_event`, `${event}$event`].find((name) => events.has(name)) || null;
  const of_event = definition && ajv.getSchema(`github#/definitions/${definition}`);
  for (const patch of [[], change(payload), change(payload), change(payload), change(payload)]) {
    const value = apply(payload, patch);
    const one = { payload: number, change: patch, definition, event: of_event && of_event(value), any: any(value) };
    if (of_event) ++seen.event[Number(one.event)];
    ++seen.any[Number(one.any)];
    cases.push(JSON.stringify(one));
  }
});
write("github-schema.json.gz", JSON.stringify(schema));
write("github-payloads.jsonl.gz", [...lines].join("\n") + "\n");
write("github-cases.jsonl.gz", cases.join("\n") + "\n");
console.log(`${lines.size} payloads, ${cases.length} cases; [refused, accepted] by event:`, seen.event, "any:", seen.any);
