// Random messages of any descriptor. What JSON cannot say (a time past year
// 9999, a Value without a kind) comes only where `hostile` allows it.

const TEXTS = [
  "", "a", "name", "two words", 'quote"back\\slash/', "\b\f\n\r\t\u0001\u001f\u007f", "\u00e9\u00df", "\u20ac\u2028\u2029",
  "\u{1f600}\u{10ffff}", "\ufeff\ufffd", "__proto__", "constructor", "@type", "null", "1", "0x10", "<&>'", "x".repeat(300),
];
const DOUBLES = [
  0, -0, 1, -1, 0.1, 1.5, -2.75, 1e21, 1e20, 123456789012345680, 1e-6, 1e-7, 5e-324, 2.2250738585072014e-308,
  1.7976931348623157e308, 2 ** 53, 2 ** -44, 9007199254740993, NaN, Infinity, -Infinity, 4.35, 1 / 3,
];
const NANOS = [0, 0, 1, 1000, 1000000, 500000000, 999999999, 120000000, 10, 123456789];
const PATHS = ["a", "user", "home_address", "user.home_address", "a_b_c", "x.y_z.w"];
const HOSTILE_PATHS = ["A", "a__b", "a_1", "_", "a_", "camelCase", "", "a,b"];

const SIGNED = { 3: 64, 5: 32, 15: 32, 16: 64, 17: 32, 18: 64 };
const UNSIGNED = { 4: 64, 6: 64, 7: 32, 13: 32 };

export class Filler {
  constructor(random, pb, registry, options) {
    this.random = random;
    this.pb = pb;
    this.registry = registry;
    this.types = options.types; // what an Any may hold
    this.hostile = options.hostile;
  }

  integer(low, high) {
    const { random } = this;
    const far = random.big(low, high);
    return random.pick([low, high, 0n, 1n, low + 1n, high - 1n, far, far, far % 1000n]);
  }

  real(isFloat) {
    const { random } = this;
    if (random.chance(0.4)) {
      const value = random.pick(DOUBLES);
      return isFloat ? Math.fround(value) : value;
    }
    const view = new DataView(random.bytes(8).buffer);
    const value = isFloat ? view.getFloat32(0) : view.getFloat64(0);
    return random.chance(0.5) && !Number.isNaN(value) ? value : Math[isFloat ? "fround" : "abs"](random.between(-99999, 99999) / 100);
  }

  text() {
    const { random } = this;
    if (this.hostile && random.chance(0.05)) {
      return "nul\0";
    }
    return random.chance(0.7) ? random.pick(TEXTS) : random.pick(TEXTS) + random.pick(TEXTS);
  }

  scalar(type) {
    const { random } = this;
    const bits = SIGNED[type] ?? UNSIGNED[type];
    if (bits) {
      const n = BigInt(bits);
      const value = SIGNED[type]
        ? this.integer(-(2n ** (n - 1n)), 2n ** (n - 1n) - 1n)
        : this.integer(0n, 2n ** n - 1n);
      return bits === 64 ? value : Number(value);
    }
    switch (type) {
      case 1:
      case 2:
        return this.real(type === 2);
      case 8:
        return random.chance(0.5);
      case 9:
        return this.text();
      default:
        return random.bytes(random.pick([0, 1, 2, 3, 4, 5, 64]));
    }
  }

  enumeration(desc) {
    const { random } = this;
    if (desc.typeName === "google.protobuf.NullValue") {
      return 0;
    }
    return random.chance(0.9) ? random.pick(desc.values).number : random.between(-50, 5000);
  }

  value(kind, item, depth) {
    if (kind === "scalar") {
      return this.scalar(item.scalar);
    }
    return kind === "enum" ? this.enumeration(item.enum) : this.message(item.message, depth + 1);
  }

  key(type) {
    return this.scalar(type);
  }

  field(message, field, depth) {
    const { random } = this;
    if (field.fieldKind === "list") {
      const list = message.get(field);
      for (let i = random.below(4); i > 0; i--) {
        list.add(this.value(field.listKind, field, depth));
      }
    } else if (field.fieldKind === "map") {
      const map = message.get(field);
      for (let i = random.below(4); i > 0; i--) {
        map.set(this.key(field.mapKey), this.value(field.mapKind, field, depth));
      }
    } else {
      message.set(field, this.value(field.fieldKind, field, depth));
    }
  }

  // -> ReflectMessage
  message(desc, depth) {
    const { random } = this;
    const message = this.pb.reflect(desc);
    if (this.known(message, desc, depth)) {
      return message;
    }
    const p = depth > 4 ? 0 : 0.7 / (depth + 1);
    for (const field of desc.fields) {
      const nested = field.message !== undefined;
      if (random.chance(nested ? p : 0.6)) {
        this.field(message, field, depth);
      }
    }
    if (random.chance(0.02)) {
      this.unknown(message, desc);
    }
    return message;
  }

  unknown(message, desc) {
    const no = this.random.between(41, 10000);
    if (!desc.fields.some((field) => field.number === no)) {
      message.setUnknown([{ no, wireType: 0, data: Uint8Array.of(this.random.below(128)) }]);
    }
  }

  known(message, desc, depth) {
    const make = desc.typeName.startsWith("google.protobuf.") && this[desc.typeName.slice(16)];
    if (make) {
      make.call(this, message, desc, depth);
    }
    return Boolean(make);
  }

  numbers(message, desc, seconds, nanos) {
    message.set(desc.fields[0], seconds);
    message.set(desc.fields[1], nanos);
  }

  Timestamp(message, desc) {
    const { random } = this;
    if (this.hostile && random.chance(0.2)) {
      this.numbers(message, desc, random.pick([-62135596801n, 253402300800n, 0n]), random.pick([-1, 0, 1000000000]));
      return;
    }
    const seconds = random.pick([-62135596800n, 253402300799n, 0n, random.big(-62135596800n, 253402300799n)]);
    this.numbers(message, desc, seconds, random.pick(NANOS));
  }

  Duration(message, desc) {
    const { random } = this;
    if (this.hostile && random.chance(0.2)) {
      this.numbers(message, desc, random.pick([-315576000001n, 315576000001n, 1n, -1n]), random.pick([-1, 0, 1, 1000000000]));
      return;
    }
    const sign = random.chance(0.5) ? 1 : -1;
    const seconds = random.pick([0n, 1n, 315575999999n, random.big(0n, 315575999999n)]);
    this.numbers(message, desc, BigInt(sign) * seconds, sign * random.pick(NANOS) + 0);
  }

  FieldMask(message, desc) {
    const { random } = this;
    const paths = message.get(desc.fields[0]);
    for (let i = random.below(4); i > 0; i--) {
      paths.add(random.pick(this.hostile && random.chance(0.2) ? HOSTILE_PATHS : PATHS));
    }
  }

  Value(message, desc, depth) {
    const { random } = this;
    const [nothing, number, text, flag, struct, list] = desc.fields;
    const field = random.pick(depth > 5 ? [nothing, number, text, flag] : [nothing, number, text, flag, struct, list]);
    if (this.hostile && random.chance(0.1)) {
      return; // of no kind
    }
    if (field === number) {
      const value = this.real(false);
      message.set(field, Number.isFinite(value) || (this.hostile && random.chance(0.1)) ? value : 0.5);
    } else if (field === nothing) {
      message.set(field, 0);
    } else {
      this.field(message, field, depth);
    }
  }

  Struct(message, desc, depth) {
    this.field(message, desc.fields[0], depth);
  }

  ListValue(message, desc, depth) {
    this.field(message, desc.fields[0], depth);
  }

  Any(message, desc, depth) {
    const { random } = this;
    if (depth > 5 || random.chance(0.1)) {
      return;
    }
    const type = random.pick(this.types);
    const content = this.message(type, depth + 1).message;
    message.set(desc.fields[0], `type.googleapis.com/${type.typeName}`);
    message.set(desc.fields[1], this.pb.toBinary(type, content));
    if (this.hostile && random.chance(0.2)) {
      message.set(desc.fields[0], random.pick(["type.googleapis.com/no.such.Type", "no.such.Type", ""]));
    }
  }
}
