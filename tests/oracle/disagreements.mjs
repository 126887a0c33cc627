import { changeLeaves, format, messageType, parse } from "./text.mjs";

// What each disagreement of docs/json.md looks like, as narrowly as can be told: a
// pattern of the error with the value that it shows, or that the two agree once the
// text has been written as the other side takes it.

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

function isJavaScriptNumber(text) {
  try {
    return Number.isFinite(Number(text)) || typeof BigInt(text) === "bigint";
  } catch {
    return false;
  }
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
  "any-malformed": (t) =>
    (t.what === "write" && t.ours.ok && t.ours.bytes.includes('"@value":') && !UNKNOWN.test(t.theirs.error)) ||
    (t.what === "text" && /^\{"@type":".+","@value":"[^"]+"\}$/.test(t.ours) && !t.theirs.includes('"@value"')),
  "any-no-url": (t) =>
    (t.what === "text" && t.theirs === "{}" && t.ours.startsWith('{"@type":""')) || theirsRefuses(t, /"@type" is empty/),
  "any-unknown-type": (t) => t.what === "write" && t.ours.ok && UNKNOWN.test(t.theirs.error),
  nul: (t) => oursRefuses(t, /\\u0000 cannot be|^wire: NUL in a string/),
  surrogate: (t) => oursRefuses(t, /half a surrogate pair/),

  "number-spelling": (t) => {
    const found = oursRefuses(t, /: "([^"]*)" is not a (?:number|key) \((?!string)/);
    return found && isJavaScriptNumber(found[1]);
  },
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
  "timestamp-calendar": (t) => oursRefuses(t, /-(?:[0-9]{2}T24:00:00|(?:29|30|31)T)[^"]*" must be a time/),
  base64: (t) => oursRefuses(t, /: "[-\w+/=\s]*(\.\.\.)?" is not base64/),
  "json-name-swapped": (t) => t.json && /"south":/.test(t.json) && t.desc.typeName === "cases.Case",
};

// The id of the disagreement that @trial shows; undefined: nobody knows it.
export function explain(trial, tools) {
  return Object.keys(DETECTORS).find((id) => DETECTORS[id](trial, tools));
}
