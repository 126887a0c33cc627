// JSON texts as trees that keep the digits of numbers, and their comparison
// by the types that a message's descriptor gives to what is in them.

const TOKEN = /"(?:[^"\\]|\\.)*"|[-+.0-9a-zA-Z]+|[{}[\]:,]/g;

// Of a text that JSON.parse() takes; `at` is where a value begins in it.
export function parse(text) {
  JSON.parse(text);
  const found = [...text.matchAll(TOKEN)];
  const tokens = found.map(([token]) => token);
  let next = 0;
  const value = () => {
    const at = found[next].index;
    const token = tokens[next++];
    if (token === "{" || token === "[") {
      const items = [];
      const closing = token === "{" ? "}" : "]";
      while (tokens[next] !== closing) {
        next += tokens[next] === "," ? 1 : 0;
        const key = token === "{" ? JSON.parse(tokens[next]) : undefined;
        next += token === "{" ? 2 : 0;
        items.push({ key, value: value() });
      }
      next++;
      return { type: token, items, at };
    }
    if (token[0] === '"') {
      return { type: "string", text: JSON.parse(token), at };
    }
    return { type: /^[-0-9]/.test(token) ? "number" : "word", text: token, at };
  };
  return value();
}

export function format(tree) {
  if (tree.type === "{") {
    return `{${tree.items.map((item) => `${JSON.stringify(item.key)}:${format(item.value)}`).join(",")}}`;
  }
  if (tree.type === "[") {
    return `[${tree.items.map((item) => format(item.value)).join(",")}]`;
  }
  return tree.type === "string" ? JSON.stringify(tree.text) : tree.text;
}

// --- types ------------------------------------------------------------------

const FREE_FORM = ["Struct", "Value", "ListValue"].map((name) => `google.protobuf.${name}`);
const DOUBLE = 1;

// All numbers in a Value are doubles.
export const messageType = (desc) => (FREE_FORM.includes(desc?.typeName) ? { scalar: DOUBLE } : { message: desc });
const one = (kind, field) => (kind === "scalar" ? { scalar: field.scalar } : messageType(field.message));

function fieldType(field) {
  switch (field?.fieldKind) {
    case "list":
      return { each: one(field.listKind, field) };
    case "map":
      return { each: one(field.mapKind, field) };
    default:
      return field ? one(field.fieldKind, field) : {};
  }
}

// What stands under @key of @tree, itself of @type.
export function memberType(type, tree, key, types) {
  if (type.each || type.scalar) {
    return type.each ?? type;
  }
  let desc = type.message;
  if (desc?.typeName === "google.protobuf.Any") {
    const url = tree.items.find((item) => item.key === "@type")?.value.text ?? "";
    desc = types.registry.getMessage(url.slice(url.lastIndexOf("/") + 1));
    if (desc && key === "value" && types.hasOwnForm(desc)) {
      return messageType(desc);
    }
  }
  if (!desc || types.hasOwnForm(desc)) {
    return {};
  }
  return fieldType(desc.fields.find((field) => field.jsonName === key || field.name === key));
}

// The scalar type that a number of @type is written by.
export function scalarOf(type) {
  return type.scalar ?? (type.message?.fields.length === 1 ? type.message.fields[0].scalar : undefined);
}

// Each number and string becomes what @change makes of it and its scalar type.
export function changeLeaves(tree, type, types, change) {
  if (tree.type === "number" || tree.type === "string") {
    Object.assign(tree, change(tree, scalarOf(type)));
  }
  for (const item of tree.items ?? []) {
    changeLeaves(item.value, memberType(type, tree, item.key, types), types, change);
  }
}

// --- comparison -------------------------------------------------------------

// Each place where the trees differ: { path, scalar, ours, theirs }.
export function* differences(ours, theirs, type, types, path = "") {
  if (ours.type !== theirs.type || (!ours.items && ours.text !== theirs.text)) {
    yield { path, scalar: scalarOf(type), ours: format(ours), theirs: format(theirs) };
    return;
  }
  if (!ours.items) {
    return;
  }
  const order = (a, b) => (a.key < b.key ? -1 : 1);
  const left = ours.type === "{" ? [...ours.items].sort(order) : ours.items;
  const right = ours.type === "{" ? [...theirs.items].sort(order) : theirs.items;
  if (left.length !== right.length || left.some((item, i) => item.key !== right[i].key)) {
    yield { path, ours: format(ours), theirs: format(theirs) };
    return;
  }
  for (const [i, item] of left.entries()) {
    const inner = memberType(type, ours, item.key, types);
    yield* differences(item.value, right[i].value, inner, types, `${path}/${item.key ?? i}`);
  }
}
