// Random damage to a JSON text, most of it where it means something: a value of
// the wrong kind, a key's other spellings, numbers and times at their limits.

import { format, memberType, messageType, parse, scalarOf } from "./text.mjs";

const RAW = [
  "null", "true", "false", "0", "-0", "1", "-1", "1.0", "1.5", "1e3", "1E+2", "-2e-1", "1e400", "1e-400", "3.5e38", "3.4028235e38",
  "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "9007199254740993",
  "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "18446744073709551616",
  "{}", "[]", "[null]", '[""]', '{"":null}', "01", "+1", ".5", "1.", "NaN", "Infinity", "nul", "", "[[[[]]]]",
  '"\\u0000"', '"\\ud800"', '"\\ude00\\ud83d"', '"\\ud83d\\ude00"', '"\\x41"', '"\t"', "'a'", '"\\/"',
];
const STRINGS = [
  "", " ", "0", "1", "-1", "-0", "01", "+1", "1.0", "1e3", "1.5", " 1", "1 ", "0x10", "1_000", "1e400", "NaN", "nan", "-NaN",
  "Infinity", "-Infinity", "inf", "2147483648", "4294967296", "9223372036854775808", "18446744073709551615", "1.", ".5",
  "18446744073709551616", "true", "false", "null", "NULL_VALUE", "YQ==", "YQ", "YQ=", "YR==", "Y", "-_-_", "+/+/", "-/", "a b",
  "YQ==YQ==", "=", "====",
  "2026-01-31T12:30:00Z", "2026-01-31t12:30:00z", "2026-01-31 12:30:00Z", "2026-01-31T12:30:00", "2026-02-30T00:00:00Z",
  "2026-01-31T12:30:00+01:00", "2026-01-31T24:00:00Z", "2026-01-31T23:59:60Z", "0001-01-01T00:00:00+00:01",
  "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-00:01", "2026-01-31T12:30:00.1234567891Z", "2026-01-31T12:30:00.Z",
  "2026-01-31T12:30:00+24:00", "2026-01-31T12:30:00-23:59", "2026-01-31T12:30:00+01:60", "2026-1-31T12:30:00Z",
  "2026-01-31T12:30:00.5+00:00", "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z", "2026-10-00T00:00:00Z",
  "1s", "-1.5s", "1.s", ".5s", "1", "-0.5s", "+1s", "1.1234567890s", "315576000000s", "315576000000.5s", "315576000001s", "1sx",
  "-315576000000.000000001s", "0.000000001s", "1e3s", "00001s", "--1s",
  "a,b", "a,,b", ",", "aB.cD", "a_b", "A", "a,", "a.b,c", "a b",
];
const KEYS = ["", "0", "01", "1.0", "1e1", "-0", "true", "TRUE", "1", "-1", " 1", "0x1", "9223372036854775808", "4294967296", "@type", "value"];

function nodesOf(tree, type, types, found = [], parent) {
  found.push({ tree, type, parent });
  for (const item of tree.items ?? []) {
    nodesOf(item.value, memberType(type, tree, item.key, types), types, found, { tree, type, item });
  }
  return found;
}

class Mutator {
  constructor(random, text, desc, types) {
    this.random = random;
    this.desc = desc;
    this.types = types;
    this.tree = parse(text);
    this.nodes = nodesOf(this.tree, messageType(desc), types);
  }

  object() {
    const objects = this.nodes.filter((node) => node.tree.type === "{");
    return objects.length > 0 ? this.random.pick(objects) : undefined;
  }

  set(node, tree) {
    Object.keys(node.tree).forEach((key) => delete node.tree[key]);
    Object.assign(node.tree, tree);
  }

  value() {
    const { random } = this;
    return random.chance(0.4)
      ? { type: "number", text: random.pick(RAW) }
      : { type: "string", text: random.pick(STRINGS) };
  }

  replace() {
    this.set(this.random.pick(this.nodes), this.value());
  }

  // A number or string of a scalar's, in another form or nearly so.
  respell() {
    const { random } = this;
    const leaves = this.nodes.filter((node) => scalarOf(node.type) && !node.tree.items);
    if (leaves.length === 0) {
      this.replace();
      return;
    }
    const node = random.pick(leaves);
    const { text } = node.tree;
    const forms = [
      { type: "string", text }, { type: "number", text }, { type: "number", text: `${text}.0` },
      { type: "number", text: `${text}e0` }, { type: "string", text: `${text}0` }, { type: "string", text: ` ${text}` },
      { type: "string", text: text.replaceAll("+", "-").replaceAll("/", "_") }, { type: "string", text: text.replace(/=+$/, "") },
    ];
    this.set(node, random.pick(forms));
  }

  rename() {
    const { random } = this;
    const object = this.object();
    if (!object || object.tree.items.length === 0) {
      return;
    }
    const item = random.pick(object.tree.items);
    const field = object.type.message?.fields.find((f) => f.jsonName === item.key);
    const names = field ? [field.name, field.name, field.jsonName.toUpperCase(), `${item.key}_`, field.localName] : KEYS;
    item.key = random.pick(names);
  }

  // Another field of the same message: perhaps the second of a oneof.
  add() {
    const { random } = this;
    const object = this.object();
    if (!object) {
      return;
    }
    const field = object.type.message?.fields.length > 0 ? random.pick(object.type.message.fields) : undefined;
    const key = field && random.chance(0.9) ? random.pick([field.jsonName, field.name]) : random.pick(KEYS);
    object.tree.items.splice(random.below(object.tree.items.length + 1), 0, { key, value: this.value() });
  }

  repeat() {
    const { random } = this;
    const holders = this.nodes.filter((node) => node.tree.items?.length > 0);
    if (holders.length > 0) {
      const { items } = random.pick(holders).tree;
      items.push(random.pick(items));
    }
  }

  drop() {
    const { random } = this;
    const holders = this.nodes.filter((node) => node.tree.items?.length > 0);
    if (holders.length > 0) {
      const { items } = random.pick(holders).tree;
      items.splice(random.below(items.length), 1);
    }
  }

  enumeration() {
    const { random } = this;
    this.set(random.pick(this.nodes), random.chance(0.5)
      ? { type: "number", text: String(random.between(-3, 5)) }
      : { type: "string", text: random.pick(["NULL_VALUE", "F0E1_ZERO", "F0E1_V1", "f0e1_zero", "0"]) });
  }
}

const CHARACTERS = "{}[]\",:\\0123456789.-+eEtfnu /\u00e9\u0001 \t\n";

function scratch(random, text) {
  const at = random.below(text.length + 1);
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + random.pick([...CHARACTERS]) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.pick([...CHARACTERS]) + text.slice(at + 1);
    default:
      return random.chance(0.5) ? text.slice(0, at) : text + random.pick(["x", " ", ",", "}", "null", "\u00a0", "\n"]);
  }
}

// -> a JSON text that may or may not be one
export function mutate(random, text, desc, types) {
  if (random.chance(0.15)) {
    return Buffer.from(scratch(random, text)).toString(); // half a character becomes U+FFFD
  }
  const mutator = new Mutator(random, text, desc, types);
  const ways = ["replace", "replace", "respell", "respell", "rename", "add", "add", "repeat", "drop", "enumeration"];
  mutator[random.pick(ways)]();
  return format(mutator.tree);
}
