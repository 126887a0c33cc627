import { changeLeaves, format, messageType, parse } from "./text.mjs";

// What each disagreement of docs/json.md looks like, as narrowly as can be told: a
// pattern of the error with the value that it shows, or that the two agree once the
// text has been written as the other side takes it. Where it is we who refuse one value,
// a detector gives the text (or the message) with nothing changed but that value, in the
// form that both take: the run shows it to us again, and there the two have to agree.

const FLOAT = 2;
const DOUBLE = 1;
const LONG = new Set([3, 4, 6, 16, 18]); // int64, uint64, fixed64, sfixed64, sint64

const oursRefuses = (t, pattern) => (t.theirs.ok && !t.ours.ok ? t.ours.error.match(pattern) : null);
const theirsRefuses = (t, pattern) => (t.ours.ok && !t.theirs.ok ? t.theirs.error.match(pattern) : null);

// -0 and 0 as one, and an Any of any prefix.
const EVEN = {
  scalar: (value) => (value === 0 ? 0 : value),
  url: (url) => url.slice(url.lastIndexOf("/") + 1),
};

function same(t, left, right, canonical, even) {
  const [a, b] = [left, right].map((bytes) => canonical(t.desc, bytes, t.registry, even));
  return a.equals(b);
}

const bothRead = (t) => t.json !== undefined && t.ours.ok && t.theirs.ok;

// Whether the other side, given @json, does what we did with the original.
function agreesOn(json, t, { readTheirs, canonical }) {
  const theirs = readTheirs(t, json);
  return theirs.ok === t.ours.ok && (!theirs.ok || same(t, t.ours.bytes, theirs.bytes, canonical, EVEN));
}

// The integer that a JSON number is, exactly; undefined: it is none.
function exactInteger(text) {
  const parts = text.match(/^(-?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([-+]?[0-9]+))?$/);
  if (!parts) {
    return undefined;
  }
  const [, sign, whole, fraction = "", exponent = "0"] = parts;
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  if (Math.abs(power) > 400) {
    return undefined;
  }
  const scaled = power >= 0 ? digits * 10n ** BigInt(power) : digits / 10n ** BigInt(-power);
  const exact = power >= 0 || scaled * 10n ** BigInt(-power) === digits;
  return exact ? (sign ? -scaled : scaled) : undefined;
}

// @json with its numbers and strings changed; undefined: it is not JSON, or stays as it is.
function rewrite(t, types, change) {
  try {
    const tree = parse(t.json);
    const before = format(tree);
    changeLeaves(tree, messageType(t.desc), types, change);
    const after = format(tree);
    return after === before ? undefined : after;
  } catch {
    return undefined;
  }
}

// As above, in the places of 64-bit integers: those that are exact get their digits.
const spellOut = (t, types, which) => rewrite(t, types, (leaf, scalar) => {
  const exact = LONG.has(scalar) && leaf.type === which ? exactInteger(leaf.text) : undefined;
  return exact === undefined ? {} : { type: "string", text: String(exact) };
});

function withoutNulls(json) {
  const drop = (tree) => {
    tree.items = tree.items?.filter((item) => tree.type === "[" || item.value.text !== "null" || item.value.type === "string");
    tree.items?.forEach((item) => drop(item.value));
    return tree;
  };
  return format(drop(parse(json)));
}

// --- one value that we refuse ----------------------------------------------------

const SHOWN = 20; // of a value, in an error: at least so many characters

// The value to which @error, of ours, points: { item, tree }, where @item holds it.
function refusedItem(json, error) {
  const [, line, column] = error.match(/^([0-9]+):([0-9]+): /).map(Number);
  const lines = json.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const at = before + [...lines[line - 1]].slice(0, column - 1).join("").length;
  const tree = parse(json);
  const find = (item) => (item.value.at === at ? item : item.value.items?.map(find).find(Boolean));
  return { item: find({ value: tree }), tree };
}

// The same text, in which what we refuse with @pattern is what @form makes of it. It is the
// value, or its key: an error points at the same place for both, and shows which it is.
// undefined: we refuse something else, or @form does.
function repaired(t, pattern, form) {
  if (!oursRefuses(t, pattern)) {
    return undefined;
  }
  const { item, tree } = refusedItem(t.json, t.ours.error);
  const shows = (text) => t.ours.error.includes(text?.length > SHOWN ? `: "${text.slice(0, SHOWN)}` : `: "${text}" `);
  const isValue = item?.value.type === "string" && shows(item.value.text);
  const plain = isValue || shows(item?.key) ? form(isValue ? item.value.text : item.key) : undefined;
  if (plain === undefined) {
    return undefined;
  }
  if (isValue) {
    item.value.text = plain;
  } else {
    item.key = plain;
  }
  return { json: format(tree) };
}

// Numbers as JavaScript has them and JSON has not: another base, zeros in front, a sign +, no
// digit on one side of the point, white space around; white space alone is 0.
const SPELLING = /^\s*(?:0[xob][0-9a-f]+|[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|(?<=\s))\s*$/i;
const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;

function plainNumber(text) {
  if (!SPELLING.test(text) || JSON_NUMBER.test(text)) {
    return undefined;
  }
  try {
    return String(BigInt(text));
  } catch {
    return String(Number(text));
  }
}

// Of a key that is a number, but not in its one spelling.
const plainKey = (text) => (JSON_NUMBER.test(text) && String(Number(text)) !== text ? String(Number(text)) : undefined);

// White space, and padding elsewhere than at the end or of another length.
function plainBase64(text) {
  if (!/^[-\w+/=\s]*$/.test(text) || !/[=\s]/.test(text)) {
    return undefined;
  }
  const groups = text.replace(/\s/g, "").split(/=+/);
  return Buffer.concat(groups.map((group) => Buffer.from(group, "base64"))).toString("base64");
}

// A day that the month does not have, up to the 31st, and 24:00:00.
function plainTime(text) {
  const [, year, month, day, time, rest] =
    text.match(/^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(.*)$/s)?.map((part, i) => (i < 4 ? Number(part) : part)) ?? [];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day + (time === "24:00:00" ? 1 : 0));
  const carried = day <= 31 && month >= 1 && month <= 12 && date.toJSON()?.slice(0, 10);
  const plain = `${carried}T${time === "24:00:00" ? "00:00:00" : time}${rest}`;
  return carried && plain !== text ? plain : undefined;
}

// --- Any ---------------------------------------------------------------------------

// Each Any of @message, and of those in it.
function* anysOf(message, tools) {
  if (message.desc.typeName === "google.protobuf.Any") {
    yield message.message;
    return;
  }
  for (const field of message.fields.filter((one) => message.isSet(one) && one.message)) {
    const value = message.get(field);
    const inner = field.fieldKind === "message" ? [value] : [...value.values()];
    for (const one of inner) {
      yield* anysOf(one, tools);
    }
  }
}

function contentOf(any, { pb, types }) {
  const desc = types.registry.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
  return desc && any.typeUrl.includes("/") ? { desc, read: () => pb.reflect(desc, pb.fromBinary(desc, any.value)) } : undefined;
}

function holdsNul(message) {
  const isNul = (value) => typeof value === "string" && value.includes("\0");
  return message.fields.some((field) => {
    const value = message.get(field);
    const all = field.fieldKind === "list" || field.fieldKind === "map" ? [...value.entries()].flat() : [value];
    return message.isSet(field) && all.some((one) => isNul(one) || (one?.desc && one.fields && holdsNul(one)));
  });
}

// Bytes of a known type that nobody can read, or (`ours`) we alone do not: for a NUL in a string.
function malformed(any, tools) {
  const content = contentOf(any, tools);
  try {
    return content && holdsNul(content.read()) ? "ours" : undefined;
  } catch {
    return "both";
  }
}

const rawAny = (any) => `{"@type":${JSON.stringify(any.typeUrl)},"@value":"${Buffer.from(any.value).toString("base64")}"}`;

// We wrote each malformed Any by its bytes; without them the two have to agree on the message.
function withoutMalformed(t, tools) {
  const message = tools.pb.reflect(t.desc, tools.pb.fromBinary(t.desc, t.binary));
  const found = [...anysOf(message, tools)].filter((any) => malformed(any, tools));
  if (found.length === 0 || !found.every((any) => t.ours.bytes.includes(rawAny(any)))) {
    return undefined;
  }
  found.forEach((any) => Object.assign(any, { typeUrl: "", value: new Uint8Array() }));
  return { binary: tools.pb.toBinary(t.desc, message.message) };
}

// The other side took it: then the limit is ours alone.
function beyondOurs(t, tools) {
  const [, typeUrl, value] = t.ours.match(/^\{"@type":("[^"]+"),"@value":"([^"]+)"\}$/) ?? [];
  return typeUrl && malformed({ typeUrl: JSON.parse(typeUrl), value: Buffer.from(value, "base64") }, tools) === "ours";
}

const UNKNOWN = /is not in the type registry/;

const DETECTORS = {
  "float-digits": (t) =>
    t.what === "text" && t.scalar === FLOAT && t.ours.length <= t.theirs.length &&
    Math.fround(Number(t.ours)) === Number(t.theirs),
  "negative-zero-text": (t) =>
    t.what === "text" && (t.scalar === FLOAT || t.scalar === DOUBLE) && t.ours === "-0" && t.theirs === "0",
  "negative-zero-packed": (t, { canonical }) =>
    bothRead(t) && same(t, t.ours.bytes, t.theirs.bytes, canonical, { ...EVEN, url: (url) => url }),
  "null-number": (t, { canonical }) => bothRead(t) && same(t, t.ours.bytes, t.theirs.bytes, canonical, {
    url: (url) => url, scalar: (value, field) => (field.enum?.typeName === "google.protobuf.NullValue" ? 0 : value),
  }),
  "any-url": (t, { canonical }) => bothRead(t) && same(t, t.ours.bytes, t.theirs.bytes, canonical, EVEN),
  "any-no-slash": (t) => oursRefuses(t, /is not a type URL/) ?? (t.what === "text" && /^\{"@type":"[\w.]+","@value"/.test(t.ours)),
  "any-malformed": (t, tools) => (t.what === "write"
    ? t.ours.ok && !UNKNOWN.test(t.theirs.error) && withoutMalformed(t, tools)
    : t.what === "text" && beyondOurs(t, tools)),
  "any-no-url": (t) =>
    (t.what === "text" && t.theirs === "{}" && t.ours.startsWith('{"@type":""')) || theirsRefuses(t, /"@type" is empty/),
  "any-unknown-type": (t) => t.what === "write" && t.ours.ok && UNKNOWN.test(t.theirs.error),
  nul: (t) => oursRefuses(t, /\\u0000 cannot be|^wire: NUL in a string/),
  surrogate: (t) => oursRefuses(t, /half a surrogate pair/),

  "number-spelling": (t) => repaired(t, / is not a (?:number|key) \(/, plainNumber),
  "key-spelling": (t) => repaired(t, / is not a key \(/, plainKey),
  "number-rounded": (t) => {
    const found = oursRefuses(t, /"?([-+.0-9eE]+)"? is not (?:a whole number|a value of )/);
    return found && Number.isInteger(Number(found[1]));
  },
  "float-rounded-twice": (t, { canonical, types }) => {
    let long = false;
    const look = (leaf, scalar) => {
      long ||= scalar === FLOAT && leaf.text.replace(/[^0-9]/g, "").length > 16;
      return {};
    };
    if (t.json) {
      rewrite(t, types, look);
    }
    const rough = { ...EVEN, scalar: (value, field) => (field.scalar === FLOAT ? Number(value.toPrecision(6)) : value) };
    return long && (theirsRefuses(t, /number \(float32\): .* out of range/) ||
      (bothRead(t) && same(t, t.ours.bytes, t.theirs.bytes, canonical, rough)));
  },
  "int64-number": (t, tools) => {
    const json = t.json && spellOut(t, tools.types, "number");
    return json && agreesOn(json, t, tools);
  },
  "int64-string": (t, tools) => {
    const json = theirsRefuses(t, /expected bigint/) && spellOut(t, tools.types, "string");
    return json && agreesOn(json, t, tools);
  },
  "any-own-form": (t) => oursRefuses(t, /an Any of [\w.]+ is \{"@type"/),
  "any-empty-value": (t) => theirsRefuses(t, /google\.protobuf\.Empty from JSON: key "value" is unknown/),
  "any-at-value": (t) => t.json?.includes('"@value":') && (bothRead(t)
    ? /google\.protobuf\.(Struct|Any)","@value":/.test(t.json)
    : theirsRefuses(t, /key "@value" is unknown|is not in the type registry/)),
  "wrapper-null": (t) => oursRefuses(t, /(^[0-9]+:[0-9]+|\.value): null is /) && /(Value|value)/.test(t.json + t.desc.typeName),
  "oneof-null": (t, tools) => theirsRefuses(t, /oneof set multiple times by/) && agreesOn(withoutNulls(t.json), t, tools),
  nesting: (t) => oursRefuses(t, /nested more than 100 levels deep/) ?? theirsRefuses(t, /maximum recursion depth of 100/),
  "duration-tail": (t) => oursRefuses(t, /"-?[0-9]+(\.[0-9]+)?s[^"]+" must be seconds/),
  "duration-range": (t) =>
    oursRefuses(t, /"-?315576000000\.[0-9]+s" must be seconds|^google\.protobuf\.Duration is out of range$/),
  "mask-path": (t) => oursRefuses(t, /path that lowerCamelCase cannot hold|must be paths with commas/),
  "value-infinite": (t) => oursRefuses(t, /: -?[1-9][0-9.]*[eE]\+?[0-9]{3,} is out of range \(double\)$/),
  "timestamp-calendar": (t) => repaired(t, / must be a time as /, plainTime),
  base64: (t) => repaired(t, / is not base64 \(/, plainBase64),
  "json-name-swapped": (t) => t.json && /"south":/.test(t.json) && t.desc.typeName === "cases.Case",
};

// The disagreement that @trial shows: { id, and json or binary, on which the two must agree };
// undefined: nobody knows it.
export function explain(trial, tools) {
  for (const [id, detect] of Object.entries(DETECTORS)) {
    const found = detect(trial, tools);
    if (found) {
      return { id, json: found.json, binary: found.binary };
    }
  }
  return undefined;
}
