// core/json against @bufbuild/protobuf: random messages of random schemas there
// and back, and damaged JSON.
//
//   node oracle.mjs DRIVER MODULES DOC N [SEED]
//
// DRIVER is driver.c, MODULES the node_modules folder, DOC the page whose table
// lists every disagreement that is known. The last line is `N passed, N failed`.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { CASES, CASES_SCHEMA } from "./cases.mjs";
import { explain } from "./disagreements.mjs";
import { Filler } from "./message.mjs";
import { mutate } from "./mutate.mjs";
import { Random } from "./random.mjs";
import { makeSchema } from "./schema.mjs";
import { differences, messageType, parse } from "./text.mjs";

const [DRIVER, MODULES, DOC, COUNT, SEED = "1"] = process.argv.slice(2);
const require = createRequire(`${MODULES}/oracle.mjs`);
const wkt = require("@bufbuild/protobuf/wkt");
const pb = { ...require("@bufbuild/protobuf"), ...require("@bufbuild/protobuf/reflect"), ...wkt };
const KNOWN_FILES = ["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"]
  .map((name) => wkt[`file_google_protobuf_${name}`].proto);
const MESSAGES_PER_SCHEMA = 40;
const SCHEMAS_PER_RUN = 25;
const SHOWN_FAILURES = 20;
const SHOWN_CHARACTERS = Number(process.env.ORACLE_SHOWN ?? 1500);

// --- the driver ----------------------------------------------------------------

function part(bytes) {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  return [head, bytes];
}

function record(kind, ...parts) {
  return [Buffer.from(kind), ...parts.flatMap((p) => part(Buffer.from(p)))];
}

function* results(output) {
  for (let at = 0; at < output.length; ) {
    const n = output.readUInt32LE(at + 1);
    const bytes = output.subarray(at + 5, at + 5 + n);
    yield { ok: output[at] === 1, bytes, error: output[at] === 1 ? undefined : bytes.toString() };
    at += 5 + n;
  }
}

function drive(batches) {
  const input = batches.flatMap((batch) => [
    ...record("S", pb.toBinary(pb.FileDescriptorSetSchema, batch.bare)),
    ...batch.trials.flatMap((t) => record("M", t.desc.typeName, t.binary ?? "", t.json ?? "")),
  ]);
  const ran = spawnSync(DRIVER, { input: Buffer.concat(input), maxBuffer: 2 ** 31 - 1 });
  if (ran.status !== 0) {
    throw new Error(`${DRIVER}: ${ran.error ?? ran.signal ?? `exit ${ran.status}`}\n${ran.stderr}`);
  }
  const answers = results(ran.stdout);
  for (const batch of batches) {
    const loaded = answers.next().value;
    if (!loaded.ok) {
      throw new Error(`schema of seed ${batch.seed}: ${loaded.error}`);
    }
    for (const trial of batch.trials) {
      [trial.written, trial.readBack, trial.read] = [1, 2, 3].map(() => answers.next().value);
    }
  }
}

// --- the oracle ------------------------------------------------------------------

function attempt(run) {
  try {
    return { ok: true, value: run() };
  } catch (problem) {
    return { ok: false, error: String(problem.message ?? problem) };
  }
}

// The bytes of a message in one form: what an Any holds is packed again, entries of
// maps are sorted, unknown fields go, each scalar becomes what @even.scalar makes of it,
// and each type URL what @even.url does.
const AS_IT_IS = { scalar: (value) => value, url: (url) => url };

function canonical(desc, bytes, registry, even = AS_IT_IS) {
  const message = pb.fromBinary(desc, bytes, { readUnknownFields: false, recursionLimit: 1000 });
  repack(pb.reflect(desc, message), registry, even);
  return Buffer.from(pb.toBinary(desc, message));
}

function repack(message, registry, even) {
  if (message.desc.typeName === "google.protobuf.Any") {
    const any = message.message;
    const inner = registry.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
    if (inner) {
      any.value = canonical(inner, any.value, registry, even);
    }
    any.typeUrl = even.url(any.typeUrl);
    return message;
  }
  for (const field of message.fields) {
    const item = (one, kind) => (kind === "message" ? repack(one, registry, even) : even.scalar(one, field));
    const value = message.get(field);
    if (field.fieldKind === "list") {
      [...value].forEach((one, i) => value.set(i, item(one, field.listKind)));
    } else if (field.fieldKind === "map") {
      const entries = [...value.entries()].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
      value.clear();
      entries.forEach(([key, one]) => value.set(key, item(one, field.mapKind)));
    } else if (message.isSet(field)) {
      message.set(field, item(value, field.fieldKind));
    }
  }
  return message;
}

// --- trials ------------------------------------------------------------------------

const counts = { trips: 0, refusedWriting: 0, mutated: 0, accepted: 0, refused: 0, failed: 0 };
const seen = new Map();
let again = []; // what is excused if, without what excuses it, the two agree

function listed() {
  const rows = readFileSync(DOC, "utf8").matchAll(/^\| `([a-z0-9-]+)` \|/gm);
  return new Set([...rows].map((row) => row[1]));
}

const table = listed();

// A disagreement is passed when it is understood, and listed.
function disagree(trial, what, detail) {
  const { id, json, binary } = explain({ ...trial, what, ...detail }, { pb, canonical, readTheirs, types: typesOf(trial.registry) }) ?? {};
  if (id && table.has(id)) {
    seen.set(id, (seen.get(id) ?? 0) + 1);
    if (json !== undefined || binary) {
      again.push({ ...trial, json, binary, meant: json === undefined ? undefined : detail.theirs, id });
    }
    return;
  }
  trial.failed = true;
  if (counts.failed < (process.env.ORACLE_FAILURES ?? SHOWN_FAILURES)) {
    console.log(`FAILED: ${what}${id ? ` (${id} is not in the table)` : ""}, ${trial.desc.typeName}, seed ${trial.seed}`);
    Object.entries(detail).forEach(([key, value]) => console.log(`  ${key}: ${show(value)}`));
  }
}

function show(value) {
  const text = value?.ok === undefined ? String(value) : value.error ?? `accepted ${value.bytes?.toString("hex")}`;
  return text.slice(0, SHOWN_CHARACTERS);
}

const typesOf = (registry) => ({ registry, hasOwnForm: pb.hasCustomJsonRepresentation });

function checkWritten(trial) {
  const { desc, registry, written, theirs } = trial;
  if (!written.ok || !theirs.ok) {
    if (written.ok !== theirs.ok) {
      disagree(trial, "write", { ours: written, theirs: { ...theirs, bytes: theirs.value } });
    } else {
      counts.refusedWriting++;
    }
    return;
  }
  const text = written.bytes.toString();
  const types = typesOf(registry);
  for (const difference of differences(parse(text), parse(theirs.value), messageType(desc), types)) {
    disagree(trial, "text", { ...difference, text });
  }

  const original = { ok: true, bytes: trial.binary };
  compareRead(trial, "our JSON, read by them", text, original, readTheirs(trial, text));
  compareRead(trial, "our JSON, read by us", text, trial.readBack, original);
}

function readTheirs({ desc, registry }, json) {
  try {
    return { ok: true, bytes: pb.toBinary(desc, pb.fromJsonString(desc, json, { registry })) };
  } catch (problem) {
    return { ok: false, error: String(problem.message) };
  }
}

// @ours and @theirs: outcomes of reading the same @json.
function compareRead(trial, what, json, ours, theirs) {
  const [left, right] = [ours, theirs].map((outcome) =>
    outcome.ok ? canonical(trial.desc, outcome.bytes, trial.registry) : undefined);
  if (ours.ok !== theirs.ok || (left && !left.equals(right))) {
    disagree(trial, what, { json, ours: { ...ours, bytes: left }, theirs: { ...theirs, bytes: right } });
  }
}

function checkRead(trial) {
  const theirs = readTheirs(trial, trial.json);
  compareRead(trial, trial.mutated ? "damaged JSON" : "their JSON", trial.json, trial.read, theirs);
  if (trial.mutated) {
    counts.mutated++;
    counts[theirs.ok ? "accepted" : "refused"]++;
  }
}

// What the other side made of the text as it was, and we of the one that says it as both do.
function checkAgain(trial) {
  if (trial.binary) {
    trial.theirs = attempt(() => pb.toJsonString(trial.desc, pb.fromBinary(trial.desc, trial.binary), trial));
    checkWritten(trial);
  } else {
    const plain = readTheirs(trial, trial.json);
    const meant = /duplicate/.test(plain.error) ? plain : trial.meant; // two spellings of one key
    compareRead(trial, `damaged JSON, excused as ${trial.id}`, trial.json, trial.read, meant);
  }
}

// Until nothing is left that was excused on a condition: each round mends one value of a text.
function runAgain() {
  while (again.length > 0) {
    const trials = again;
    again = [];
    const sets = new Set(trials.map((trial) => trial.bare));
    drive([...sets].map((bare) => ({ bare, trials: trials.filter((trial) => trial.bare === bare) })));
    for (const trial of trials) {
      checkAgain(trial);
      counts.failed += trial.failed ? 1 : 0;
    }
  }
}

function check(trial) {
  if (trial.binary) {
    counts.trips++;
    checkWritten(trial);
  }
  if (trial.json) {
    checkRead(trial);
  }
  counts.failed += trial.failed ? 1 : 0;
}

// --- batches -------------------------------------------------------------------------

function makeTrials(random, batch, registry, n) {
  const types = typesOf(registry);
  const made = batch.names.map((name) => registry.getMessage(name));
  const known = ["Duration", "Empty", "Int64Value", "FloatValue", "Struct", "Value", "Timestamp", "Any", "FieldMask"]
    .map((name) => registry.getMessage(`google.protobuf.${name}`));
  const choices = { types: [...made, ...made, ...known] };
  for (let i = 0; i < n; i++) {
    const filler = new Filler(random, pb, registry, { ...choices, hostile: random.chance(0.1) });
    const desc = random.pick(random.chance(0.95) ? made : known);
    const message = attempt(() => filler.message(desc, 0).message);
    const binary = message.ok ? attempt(() => pb.toBinary(desc, message.value)) : message;
    if (!binary.ok) {
      i--; // some of what is hostile cannot even be made there
      continue;
    }
    const parsed = pb.fromBinary(desc, binary.value);
    const theirs = attempt(() => pb.toJsonString(desc, parsed, { registry }));
    const common = { desc, registry, bare: batch.bare, seed: batch.seed };
    batch.trials.push({ ...common, binary: binary.value, theirs, json: theirs.value });
    if (theirs.ok) {
      batch.trials.push({ ...common, json: mutate(random, theirs.value, desc, types), mutated: true });
    }
  }
}

function makeBatch(seed, n) {
  const random = new Random(seed);
  const batch = { ...makeSchema(random, pb, KNOWN_FILES), seed, trials: [] };
  makeTrials(random, batch, pb.createFileRegistry(batch.set), n);
  return batch;
}

// What no random message is likely to hit: one case at least for each row of the table.
function runCases() {
  const set = pb.create(pb.FileDescriptorSetSchema, {
    file: [...KNOWN_FILES, pb.create(pb.FileDescriptorProtoSchema, CASES_SCHEMA(KNOWN_FILES))],
  });
  const registry = pb.createFileRegistry(set);
  const trials = CASES(pb, registry).map(({ type, ...rest }) => {
    const desc = registry.getMessage(type);
    const theirs = rest.binary
      ? attempt(() => pb.toJsonString(desc, pb.fromBinary(desc, rest.binary), { registry }))
      : undefined;
    return { desc, registry, bare: set, seed: "cases", mutated: true, theirs, ...rest };
  });
  drive([{ bare: set, trials, seed: "cases" }]);
  trials.forEach(check);
  runAgain();
}

function main() {
  const n = Number(COUNT);
  runCases();
  for (let done = 0, seed = Number(SEED) * 1000003; done < n; ) {
    const batches = [];
    for (let i = 0; i < SCHEMAS_PER_RUN && done < n; i++, seed++) {
      const size = Math.min(MESSAGES_PER_SCHEMA, n - done);
      batches.push(makeBatch(seed, size));
      done += size;
    }
    drive(batches);
    batches.forEach((batch) => batch.trials.forEach(check));
    runAgain();
  }
  for (const id of table) {
    if (!seen.has(id)) {
      console.log(`FAILED: nothing shows the disagreement ${id}, which the table lists`);
      counts.failed++;
    }
  }
  console.log(`${counts.trips} messages there and back (${counts.refusedWriting} that JSON cannot say, refused by both); ` +
    `${counts.mutated} damaged texts (${counts.accepted} accepted there, ${counts.refused} refused)`);
  [...seen].sort().forEach(([id, times]) => console.log(`  ${id}: ${times}`));
  console.log(`${counts.trips + counts.mutated - counts.failed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed > 0 || counts.trips === 0 ? 1 : 0;
}

main();
