// Random proto3 files, as a FileDescriptorSet: every type, label and map key,
// oneofs, optional, aliases, nesting, recursion, names of every kind.

const TYPE = {
  double: 1, float: 2, int64: 3, uint64: 4, int32: 5, fixed64: 6, fixed32: 7, bool: 8, string: 9,
  message: 11, bytes: 12, uint32: 13, enum: 14, sfixed32: 15, sfixed64: 16, sint32: 17, sint64: 18,
};
const SCALARS = Object.values(TYPE).filter((type) => type !== TYPE.message && type !== TYPE.enum);
const KEYS = SCALARS.filter((type) => ![TYPE.double, TYPE.float, TYPE.bytes].includes(type));
const PACKABLE = (type) => ![TYPE.string, TYPE.bytes, TYPE.message].includes(type);

const KNOWN = [
  "Any", "Any", "BoolValue", "BytesValue", "DoubleValue", "Duration", "Duration", "Empty", "FieldMask",
  "FloatValue", "Int32Value", "Int64Value", "ListValue", "StringValue", "Struct", "Struct", "Timestamp",
  "Timestamp", "UInt32Value", "UInt64Value", "Value", "Value",
].map((name) => `.google.protobuf.${name}`);

const camelCase = (name) => name.replace(/_+(.?)/g, (_, c) => c.toUpperCase());

const WORDS = ["user", "name", "home", "value", "count", "x", "type", "is", "data", "int", "class", "key", "at"];
// Not __proto__ and hasOwnProperty: JavaScript's objects have their own, which confuses the oracle.
const ODD_NAMES = [
  "constructor", "toString", "value", "seconds", "nanos", "type_url",
  "_leading", "trailing_", "two__low", "digit_1", "a_1b", "CamelCase", "lowerCamel", "UPPER_CASE", "x9_y",
];

class Builder {
  constructor(random, pb, wkt) {
    this.random = random;
    this.pb = pb;
    this.wkt = wkt;
    this.messages = []; // [full name, DescriptorProto]
    this.enums = [".google.protobuf.NullValue"];
  }

  enumeration(scope, name) {
    const { random } = this;
    const prefix = `${name.toUpperCase()}_`;
    const value = [{ name: `${prefix}ZERO`, number: 0 }];
    const used = new Set([0]);
    for (let i = random.below(5); i > 0; i--) {
      const number = random.pick([i, -i, random.between(-1000, 1000), 2147483647, -2147483648]);
      used.add(number);
      value.push({ name: `${prefix}V${i}`, number });
    }
    const allowAlias = used.size < value.length;
    this.enums.push(`${scope}.${name}`);
    return { name, value, options: allowAlias ? { allowAlias } : undefined };
  }

  // Names first, so that fields can refer to all of them.
  message(scope, name, depth) {
    const { random } = this;
    const full = `${scope}.${name}`;
    const proto = { name, nestedType: [], enumType: [], field: [], oneofDecl: [] };
    for (let i = depth < 2 ? random.below(3) : 0; i > 0; i--) {
      proto.nestedType.push(this.message(full, `${name}N${i}`, depth + 1));
    }
    for (let i = random.below(2); i > 0; i--) {
      proto.enumType.push(this.enumeration(full, `${name}E${i}`));
    }
    this.messages.push([full, proto]);
    return proto;
  }

  fieldName(taken) {
    const { random } = this;
    for (;;) {
      const name = random.chance(0.2)
        ? random.pick(ODD_NAMES)
        : [random.pick(WORDS), random.pick(WORDS), random.between(0, 99)].join(random.pick(["_", "_", ""]));
      const folded = name.replaceAll("_", "").toLowerCase();
      if (!taken.has(folded) && !/^[0-9]/.test(name)) {
        taken.add(folded);
        return name;
      }
    }
  }

  // The oracle wants all of them, as protoc gives them; what is derived, we are not always told.
  jsonName(name, number) {
    const { random } = this;
    if (random.chance(0.8)) {
      return camelCase(name);
    }
    return random.pick(["@", "with space ", "\u00e9", 'quote"', "dot.", "\u{1f600}", "back\\", "tab\t"]) + number;
  }

  number(numbers) {
    const { random } = this;
    for (;;) {
      const number = random.chance(0.9) ? random.between(1, 40) : random.between(1, 2 ** 29 - 1);
      if (!numbers.has(number) && (number < 19000 || number > 19999)) {
        numbers.add(number);
        return number;
      }
    }
  }

  type(allowed) {
    const { random } = this;
    const kind = random.below(10);
    if (kind < 5 || (allowed && kind < 6)) {
      return { type: random.pick(allowed ?? SCALARS) };
    }
    if (kind < 6) {
      return { type: TYPE.enum, typeName: random.pick(this.enums) };
    }
    return {
      type: TYPE.message,
      typeName: random.chance(0.5) ? random.pick(KNOWN) : random.pick(this.messages)[0],
    };
  }

  map(full, proto, field) {
    const { random } = this;
    const name = `${field.name.replace(/(^|_)_*(.?)/g, (_, low, c) => c.toUpperCase())}Entry`;
    proto.nestedType.push({
      name,
      options: { mapEntry: true },
      field: [
        { name: "key", number: 1, label: 1, type: random.pick(KEYS), jsonName: "key" },
        { name: "value", number: 2, label: 1, jsonName: "value", ...this.type() },
      ],
    });
    return { ...field, label: 3, type: TYPE.message, typeName: `${full}.${name}` };
  }

  repeated(field) {
    const made = { ...field, label: 3, ...this.type() };
    if (PACKABLE(made.type) && this.random.chance(0.3)) {
      made.options = { packed: this.random.chance(0.5) };
    }
    return made;
  }

  fields(full, proto) {
    const { random } = this;
    const taken = new Set();
    const numbers = new Set();
    const optional = [];
    for (let i = random.between(0, 12); i > 0; i--) {
      const name = this.fieldName(taken);
      const number = this.number(numbers);
      const field = { name, number, jsonName: this.jsonName(name, number) };
      const kind = random.below(10);
      if (kind < 3) {
        proto.field.push({ ...field, label: 1, ...this.type() });
      } else if (kind < 4) {
        const made = { ...field, label: 1, proto3Optional: true, ...this.type() };
        optional.push(made);
        proto.field.push(made);
      } else if (kind < 6) {
        proto.field.push(this.map(full, proto, field));
      } else if (kind < 8) {
        proto.field.push(this.repeated(field));
      } else {
        if (proto.oneofDecl.length === 0 || random.chance(0.3)) {
          proto.oneofDecl.push({ name: `choice_${proto.oneofDecl.length}` });
        }
        const oneofIndex = random.below(proto.oneofDecl.length);
        proto.field.push({ ...field, label: 1, oneofIndex, ...this.type() });
      }
    }
    // A oneof that nobody joined is not valid; synthetic ones stand last.
    const joined = proto.oneofDecl.filter((_, index) => proto.field.some((f) => f.oneofIndex === index));
    for (const field of proto.field.filter((f) => f.oneofIndex !== undefined)) {
      field.oneofIndex = joined.indexOf(proto.oneofDecl[field.oneofIndex]);
    }
    for (const field of optional) {
      field.oneofIndex = joined.length;
      joined.push({ name: `_${field.name}` });
    }
    proto.oneofDecl = joined;
  }

  file(index) {
    const { random } = this;
    const scope = random.pick(["", "oracle", "oracle.v1", "oracle.deep.er.v1"]);
    const dot = scope ? `.${scope}` : "";
    const first = this.messages.length;
    const file = {
      name: `oracle/${index}.proto`,
      package: scope,
      syntax: "proto3",
      dependency: this.wkt.map((known) => known.name),
      messageType: [],
      enumType: [],
    };
    for (let i = 0; i < index; i++) {
      file.dependency.push(`oracle/${i}.proto`);
    }
    for (let i = random.below(3); i > 0; i--) {
      file.enumType.push(this.enumeration(dot, `F${index}E${i}`));
    }
    for (let i = random.between(1, 4); i > 0; i--) {
      file.messageType.push(this.message(dot, `F${index}M${i}`, 0));
    }
    for (const [full, proto] of this.messages.slice(first)) {
      this.fields(full, proto);
    }
    return this.pb.create(this.pb.FileDescriptorProtoSchema, file);
  }
}

// Without the JSON names that follow from the fields' own.
function bare(random, message) {
  for (const field of message.field) {
    if (random.chance(0.5) && field.jsonName === camelCase(field.name)) {
      delete field.jsonName;
    }
  }
  message.nestedType.forEach((nested) => bare(random, nested));
}

// -> { set: FileDescriptorSet, bare: the same with fewer JSON names, names: of the messages made }
export function makeSchema(random, pb, wkt) {
  const builder = new Builder(random, pb, wkt);
  const files = [];
  for (let i = 0, n = random.between(1, 2); i < n; i++) {
    files.push(builder.file(i));
  }
  const set = pb.create(pb.FileDescriptorSetSchema, { file: [...wkt, ...files] });
  const copies = files.map((file) => pb.clone(pb.FileDescriptorProtoSchema, file));
  copies.forEach((file) => file.messageType.forEach((message) => bare(random, message)));
  return {
    set,
    bare: pb.create(pb.FileDescriptorSetSchema, { file: [...wkt, ...copies] }),
    names: builder.messages.map(([name]) => name.slice(1)),
  };
}
