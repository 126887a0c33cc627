// What no random message is sure to hit: the corners, and each row of the table in
// docs/json.md at least once.

const field = (name, number, type, more = {}) => ({ name, number, label: 1, type, jsonName: name, ...more });
const known = (name) => ({ typeName: `.google.protobuf.${name}` });
const entry = (name, key, value) => ({
  name: `${name}Entry`, options: { mapEntry: true }, field: [field("key", 1, key), field("value", 2, ...value)],
});
const ENUM = 14;
const MESSAGE = 11;
const map = (name, number) => field(name, number, MESSAGE, {
  label: 3, typeName: `.cases.Case.${name[0].toUpperCase()}${name.slice(1)}Entry`,
});

export const CASES_SCHEMA = (files) => ({
  name: "cases.proto",
  package: "cases",
  syntax: "proto3",
  dependency: files.map((file) => file.name),
  enumType: [{
    name: "Color",
    options: { allowAlias: true },
    value: [
      { name: "NONE", number: 0 }, { name: "RED", number: 1 }, { name: "ROUGE", number: 1 },
      { name: "LAST", number: 2147483647 }, { name: "FIRST", number: -2147483648 },
    ],
  }],
  messageType: [{
    name: "Case",
    oneofDecl: [{ name: "choice" }, { name: "_opt" }],
    nestedType: [
      entry("Texts", 9, [9]), entry("Ints", 5, [5]), entry("Longs", 3, [3]), entry("Flags", 8, [8]),
      entry("Nulls", 9, [ENUM, known("NullValue")]), entry("Values", 9, [MESSAGE, known("Value")]),
    ],
    field: [
      field("d", 1, 1), field("f", 2, 2), field("i", 3, 5), field("l", 4, 3), field("u", 5, 4), field("b", 6, 8),
      field("s", 7, 9), field("y", 8, 12), field("e", 9, ENUM, { typeName: ".cases.Color" }), field("w", 10, 13),
      map("texts", 11), map("ints", 12), map("longs", 13), map("flags", 14), map("nulls", 15), map("values", 16),
      field("ci", 20, 5, { oneofIndex: 0 }), field("cs", 21, 9, { oneofIndex: 0 }),
      field("cm", 22, MESSAGE, { oneofIndex: 0, typeName: ".cases.Case" }),
      field("cn", 23, ENUM, { oneofIndex: 0, ...known("NullValue") }),
      field("ce", 24, ENUM, { oneofIndex: 0, typeName: ".cases.Color" }),
      field("cw", 25, MESSAGE, { oneofIndex: 0, ...known("Int32Value") }),
      field("cv", 26, MESSAGE, { oneofIndex: 0, ...known("Value") }),
      field("t", 30, MESSAGE, known("Timestamp")), field("p", 31, MESSAGE, known("Duration")),
      field("k", 32, MESSAGE, known("FieldMask")), field("st", 33, MESSAGE, known("Struct")),
      field("v", 34, MESSAGE, known("Value")), field("lv", 35, MESSAGE, known("ListValue")),
      field("a", 36, MESSAGE, known("Any")), field("wi", 37, MESSAGE, known("Int32Value")),
      field("wl", 38, MESSAGE, known("Int64Value")), field("nv", 39, ENUM, known("NullValue")),
      field("rn", 40, ENUM, { label: 3, ...known("NullValue") }), field("rv", 41, MESSAGE, { label: 3, ...known("Value") }),
      field("r", 42, MESSAGE, { label: 3, typeName: ".cases.Case" }), field("m", 43, MESSAGE, { typeName: ".cases.Case" }),
      field("ri", 44, 5, { label: 3 }), field("opt", 45, 9, { oneofIndex: 1, proto3Optional: true }),
      field("two_words", 46, 9, { jsonName: "twoWords" }), field("left", 47, 9, { jsonName: "right2" }),
      field("north", 50, 9, { jsonName: "south" }), field("south", 51, 9, { jsonName: "north2" }),
      field("wf", 48, MESSAGE, known("FloatValue")), field("x", 49, 9, { jsonName: "\u00e9 \"x\"" }),
    ],
  }],
});

const nest = (depth, open, inner, close) => open.repeat(depth) + inner + close.repeat(depth);
const any = (type, rest) => `{"a":{"@type":"type.googleapis.com/${type}"${rest}}}`;
const times = (texts) => texts.map((text) => `{"t":"${text}"}`);
const spans = (texts) => texts.map((text) => `{"p":"${text}"}`);

const JSONS = [
  // names
  '{"two_words":"a"}', '{"twoWords":"a"}', '{"twoWords":"a","two_words":"b"}', '{"twoWords":null,"two_words":"b"}',
  '{"two_words":"b","twoWords":null}', '{"twoWords":null,"two_words":null}', '{"TwoWords":"a"}', '{"right2":"a"}', '{"left":"a"}',
  '{"south":"a"}', '{"north":"a"}', '{"north2":"a"}', '{"\\u00e9 \\"x\\"":"a"}', '{"i":1,"i":1}', '{"i":1,"\\u0069":1}', '{"nope":1}', '{"nope":null}', '{"":1}', '{"[cases.ext]":1}',
  // null, and oneofs
  '{"ci":null,"cs":"a"}', '{"cs":"a","ci":null}', '{"cm":null,"cs":"a"}', '{"cs":"a","cm":null}', '{"ce":null,"ci":1}',
  '{"cw":null,"cs":"a"}', '{"cn":null}', '{"cn":null,"ci":1}', '{"cn":"NULL_VALUE"}', '{"cv":null}', '{"cv":null,"ci":null}',
  '{"ci":1,"cs":"a"}', '{"ci":0}', '{"cs":""}', '{"cm":{}}', '{"opt":""}', '{"opt":null}', '{"i":null,"s":null,"e":null,"m":null}',
  '{"r":null,"texts":null,"ri":null,"rn":null,"rv":null}', '{"rn":[null]}', '{"rv":[null]}', '{"ri":[null]}', '{"r":[null]}',
  '{"texts":{"a":null}}', '{"nulls":{"a":null}}', '{"values":{"a":null}}', '{"v":null}', '{"st":null}', '{"lv":null}', '{"wi":null}',
  '{"nv":null}', '{"nv":0}', '{"nv":1}', '{"lv":[null]}', '{"st":{"a":null}}', "null", "[]", "1", '""', "true",
  // numbers
  '{"d":"-0"}', '{"d":-0}', '{"ri":[-0]}', '{"d":1e400}', '{"d":"1e400"}', '{"v":1e400}', '{"f":1e39}', '{"f":3.4028235e38}',
  '{"f":3.4028235677973366e38}', '{"f":3.4028235677973362e38}', '{"f":"0x10"}', '{"i":"0x10"}', '{"i":" 1"}', '{"i":"1e2"}', '{"i":1e2}',
  '{"i":1.0}', '{"i":1.5}', '{"i":2147483648}', '{"i":-2147483649}', '{"w":-1}', '{"w":4294967296}', '{"i":true}', '{"i":""}', '{"i":1.00000000000000000001}', '{"i":0.99999999999999999999}',
  '{"l":9007199254740993}', '{"l":"9007199254740993"}', '{"l":-9223372036854775808}', '{"l":9223372036854775807}',
  '{"l":9223372036854775808}', '{"u":18446744073709551615}', '{"u":18446744073709551616}', '{"u":-1}', '{"u":-0}', '{"l":"1.0"}',
  '{"l":"1e3"}', '{"l":"-1.50e1"}', '{"l":1e3}', '{"l":"0b11"}', '{"l":" 7 "}', '{"l":"-0"}', '{"d":"NaN"}', '{"d":"nan"}', '{"d":NaN}',
  '{"d":"-Infinity"}', '{"i":"Infinity"}', '{"d":"+1"}', '{"d":".5"}', '{"d":"5."}', '{"d":"1_0"}', '{"wf":0.1}', '{"wl":9007199254740993}',
  '{"f":0.1}', '{"f":16777217}', '{"f":1.00000017881393432617187499}', '{"d":5e-324}', '{"d":2e-324}', '{"d":1e-400}', '{"i":1e-400}',
  '{"ints":{"01":1}}', '{"ints":{"1":1,"01":2}}', '{"ints":{"1.0":1}}', '{"longs":{"01":1}}', '{"longs":{"-0":1}}', '{"flags":{"TRUE":true}}',
  '{"flags":{"true":true,"false":false}}', '{"ints":{"":1}}', '{"ints":{"2147483648":1}}', '{"longs":{"9223372036854775808":1}}',
  // strings and bytes
  '{"s":"\\u0000"}', '{"s":"\\ud83d\\ude00"}', '{"s":"\\ud83d"}', '{"s":"\\ude00\\ud83d"}', '{"texts":{"\\ud83d":"a"}}', '{"st":{"a":"\\ud83d"}}',
  '{"y":"-_-_"}', '{"y":"+/+/"}', '{"y":"YQ"}', '{"y":"YQ="}', '{"y":"Y Q = ="}', '{"y":"YR=="}', '{"y":"YQ==YQ=="}', '{"y":"YQ==\\n"}',
  '{"y":"Y"}', '{"y":"="}', '{"y":"*"}', '{"b":"true"}', '{"b":1}', '{"s":1}',
  // enums
  '{"e":"RED"}', '{"e":"ROUGE"}', '{"e":1}', '{"e":1.0}', '{"e":1.5}', '{"e":"1"}', '{"e":77}', '{"e":2147483648}', '{"e":"red"}',
  '{"e":"LAST"}', '{"e":"FIRST"}', '{"e":true}',
  // well-known types
  ...times(["2026-02-28T23:59:59Z", "2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2024-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
    "2026-01-32T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T24:00:01Z", "2026-01-31T23:59:60Z", "2026-01-31T23:60:00Z",
    "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+23:59", "2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00.000000001+01:00",
    "0001-01-01T00:00:00Z", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z", "2026-01-31t12:00:00Z", "2026-01-31T12:00:00z", "2026-01-31T12:00Z", ""]),
  ...spans(["0s", "-0s", "1.5s", "-0.5s", "1.s", ".5s", "+1s", "1", "1.0000000001s", "1.123456789s", "1sx", "1s ", "315576000000s",
    "315576000000.000000001s", "-315576000000s", "-315576000000.5s", "315576000001s", "01s", "s", ""]),
  '{"k":"a,bC"}', '{"k":"a,,b"}', '{"k":"a,"}', '{"k":""}', '{"k":"a_b"}', '{"k":"A"}', '{"k":"a.b c"}', '{"k":["a"]}',
  '{"st":[]}', '{"lv":{}}', '{"v":[{"a":[1,"b",true,null,{}]}]}', '{"wi":"7"}', '{"wi":{"value":7}}', '{"a":{}}', '{"a":{"@type":""}}',
  any("google.protobuf.Duration", ',"value":"1s"'), any("google.protobuf.Duration", ',"value":"1s","x":1'), any("google.protobuf.Duration", ""),
  any("google.protobuf.Struct", ',"value":{"a":1}'), any("google.protobuf.Struct", ',"a":1'), any("google.protobuf.Struct", ""),
  any("google.protobuf.Value", ',"value":null'), any("google.protobuf.Int32Value", ',"value":null'), any("google.protobuf.Empty", ""),
  any("google.protobuf.Empty", ',"value":{}'), any("cases.Case", ',"i":1'), any("cases.Case", ',"value":{"i":1}'), any("no.such.Type", ""),
  any("google.protobuf.Any", `,"value":{"@type":"type.googleapis.com/cases.Case","i":1}`), '{"a":{"@type":"cases.Case","i":1}}',
  '{"a":{"@type":"example.com/x/cases.Case","i":1}}', '{"a":{"i":1,"@type":"type.googleapis.com/cases.Case"}}', '{"a":{"i":1}}',
  '{"a":{"@type":"type.googleapis.com/cases.Case","@value":"GAE="}}', '{"a":{"@type":"/cases.Case"}}', '{"a":{"@type":1}}',
  // nesting
  nest(99, '{"m":', "{}", "}"), nest(100, '{"m":', "{}", "}"), nest(48, '{"r":[', "{}", "]}"), nest(60, '{"r":[', "{}", "]}"),
  `{"v":${nest(97, "[", "", "]")}}`, `{"v":${nest(99, "[", "", "]")}}`, `{"lv":${nest(99, "[", "", "]")}}`, `{"i":${nest(10000, "[", "", "]")}}`,
  // texts
  "", " ", "{", "{}x", "{}\u00a0", "\ufeff{}", "{,}", '{"i":1,}', "{'i':1}", '{"i":01}', '{"i":+1}', '{"i":1.}', '{"s":"\t"}', '{"s":"\\x"}',
  ' \t\r\n{ "i" : 1 } \n', '{"s":"\u007f\u2028"}', '{"i":1}{"i":1}', '{"i":tru}', '{i:1}', '{"s":"a', "/**/{}",
];

const WRAPPED = ["google.protobuf.Int32Value", "google.protobuf.StringValue", "google.protobuf.Value", "google.protobuf.Empty"];

// Binary messages that JSON shows in more than one way, or not at all.
function binaries(pb, registry) {
  const desc = registry.getMessage("cases.Case");
  const pack = (init) => pb.toBinary(desc, pb.create(desc, init));
  const anyOf = (typeUrl, value) => pack({ a: pb.create(pb.AnySchema, { typeUrl, value }) });
  const time = (seconds, nanos) => pack({ t: pb.create(pb.TimestampSchema, { seconds, nanos }) });
  const span = (seconds, nanos) => pack({ p: pb.create(pb.DurationSchema, { seconds, nanos }) });
  const mask = (...paths) => pack({ k: pb.create(pb.FieldMaskSchema, { paths }) });
  const twice = (bytes) => Uint8Array.from([...bytes, ...bytes]);
  const packed = pack({ i: 1 });
  return [
    pack({ d: -0, f: 0.1 }), pack({ f: 16777216 }), pack({ e: 2147483647 }), pack({ e: -2147483648 }), pack({ e: 5 }), pack({ s: "nul\0" }),
    anyOf("type.googleapis.com/cases.Case", packed), anyOf("example.com/cases.Case", packed), anyOf("no.such.Type", packed),
    anyOf("type.googleapis.com/no.such.Type", packed), anyOf("", packed), anyOf("type.googleapis.com/cases.Case", Uint8Array.of(0xff)),
    anyOf("type.googleapis.com/cases.Case", pack({ s: "nul\0" })), anyOf("cases.Case", packed), anyOf("type.googleapis.com/cases.Case", new Uint8Array()),
    time(0n, -1), time(0n, 1000000000), time(253402300800n, 0), time(-62135596801n, 0), time(253402300799n, 999999999),
    span(1n, -1), span(0n, 1000000000), span(315576000001n, 0), span(-1n, -500000000), span(0n, -1), span(315576000000n, 1),
    mask("a", ""), mask(""), mask("a,b"), mask("a__b"), mask("a_1"), mask("aB"), mask("a_"), mask("_a"), mask(),
    pack({ nv: 0 }), pack({ nv: 7 }), pack({ choice: { case: "cn", value: 7 } }), pack({ v: pb.create(pb.ValueSchema) }),
    pack({ v: pb.create(pb.ValueSchema, { kind: { case: "numberValue", value: NaN } }) }),
    twice(pack({ ints: { 1: 2 } })), Uint8Array.from([...pack({ ints: { 1: 2 } }), ...pack({ ints: { 1: 3, 2: 4 } })]),
    Uint8Array.from([...pack({ texts: { a: "b", c: "d" } }), ...pack({ texts: { a: "e" } })]), twice(pack({ i: 1 })), pack({ north: "a", south: "b" }),
    Uint8Array.of(0x62, 0x00), // an entry with neither key nor value
    Uint8Array.of(0xa8, 0x3e, 0x01), // an unknown field
  ];
}

// -> [{ type, json }, { type, binary }]
export function CASES(pb, registry) {
  return [
    ...JSONS.map((json) => ({ type: "cases.Case", json })),
    ...WRAPPED.flatMap((type) => ["null", "{}", "7", '"a"'].map((json) => ({ type, json }))),
    ...binaries(pb, registry).map((binary) => ({ type: "cases.Case", binary })),
  ];
}
