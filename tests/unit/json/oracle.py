#!/usr/bin/env python3
"""Our JSON and protobuf's own are the same, over random messages.

    oracle.py CONVERT DESCRIPTOR-SET

Each message goes packed to CONVERT, and as protobuf's JSON; what it writes must
parse to the same message, and what it reads must be it. The last line is
`N passed, N failed`.
"""

import math
import random
import struct
import subprocess
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

SEED, N_MESSAGES = 20260131, 400
NAMES = ["Scalars", "Repeats", "Presence", "Maps", "Known"]
TEXT = "az09_ \"\\/<>&\u00e9\u20ac\U0001f600\u2028\x01\x1f\x7f\n\t"
INTEGERS = {
    Field.CPPTYPE_INT32: (-2**31, 2**31 - 1), Field.CPPTYPE_UINT32: (0, 2**32 - 1),
    Field.CPPTYPE_INT64: (-2**63, 2**63 - 1), Field.CPPTYPE_UINT64: (0, 2**64 - 1),
}


class Filler:
    def __init__(self, rng):
        self.rng = rng

    def real(self, code, size):
        while math.isnan(value := struct.unpack(code, self.rng.randbytes(size))[0]):
            pass
        return self.rng.choice([value, 0.0, 1.5, -0.1 if size == 8 else -0.5, math.inf, -math.inf])

    def scalar(self, field):
        rng = self.rng
        if field.cpp_type in INTEGERS:
            low, high = INTEGERS[field.cpp_type]
            return rng.choice([low, high, 0, 1, rng.randint(low, high)])
        if field.cpp_type == Field.CPPTYPE_DOUBLE:
            return self.real("<d", 8)
        if field.cpp_type == Field.CPPTYPE_FLOAT:
            return self.real("<f", 4)
        if field.cpp_type == Field.CPPTYPE_BOOL:
            return rng.random() < 0.5
        if field.cpp_type == Field.CPPTYPE_ENUM:
            return rng.choice([v.number for v in field.enum_type.values])
        if field.type == Field.TYPE_BYTES:
            return rng.randbytes(rng.randrange(6))
        return "".join(rng.choices(TEXT, k=rng.randrange(8)))

    def known(self, message):
        """Well-known types hold what their JSON can say. False: not one of them."""
        rng, name = self.rng, message.DESCRIPTOR.full_name.removeprefix("google.protobuf.")
        if name == "Timestamp":
            message.seconds, message.nanos = rng.randint(-62135596800, 253402300799), self.nanos()
        elif name == "Duration":
            sign = rng.choice([-1, 1])
            message.seconds, message.nanos = sign * rng.randint(0, 315575999999), sign * self.nanos()
        elif name == "FieldMask":
            message.paths.extend(rng.choices(["a", "a_b", "user.home_address", "x.y_z"], k=rng.randrange(4)))
        elif name == "Any":
            inner = type(message)()
            pick = rng.choice([None, "Duration", "Empty"])
            if pick:
                inner.type_url = f"type.googleapis.com/google.protobuf.{pick}"
            message.CopyFrom(inner)
        elif name == "Value":
            kind = rng.choice(["null_value", "number_value", "string_value", "bool_value"])
            value = {"null_value": 0, "number_value": rng.choice([0, 1.5, -1e300]),
                     "string_value": "s", "bool_value": True}[kind]
            setattr(message, kind, value)
        else:
            return False
        return True

    def nanos(self):
        return self.rng.choice([0, 500000000, 1000, 1, 999999999])

    def fill(self, message, depth=0):
        if self.known(message):
            return message
        for field in message.DESCRIPTOR.fields:
            if self.rng.random() < 0.5 or (depth > 2 and field.message_type):
                continue
            self.fill_field(message, field, depth)
        return message

    def fill_field(self, message, field, depth):
        name = field.name
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if is_map:
            key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
            for _ in range(self.rng.randrange(3)):
                if value.message_type:
                    self.fill(getattr(message, name)[self.scalar(key)], depth + 1)
                else:
                    getattr(message, name)[self.scalar(key)] = self.scalar(value)
        elif field.label == Field.LABEL_REPEATED:
            for _ in range(self.rng.randrange(4)):
                if field.message_type:
                    self.fill(getattr(message, name).add(), depth + 1)
                else:
                    getattr(message, name).append(self.scalar(field))
        elif field.message_type:
            getattr(message, name).SetInParent()
            self.fill(getattr(message, name), depth + 1)
        else:
            setattr(message, name, self.scalar(field))


def factory(pool, name):
    descriptor = pool.FindMessageTypeByName("samples.v1." + name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def main():
    convert, path = sys.argv[1:]
    pool = descriptor_pool.DescriptorPool()
    with open(path, "rb") as file:
        for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
            pool.Add(proto)
    filler = Filler(random.Random(SEED))
    messages = [filler.fill(factory(pool, NAMES[i % len(NAMES)])()) for i in range(N_MESSAGES)]
    lines = [f"{m.DESCRIPTOR.full_name}\tx{m.SerializeToString().hex()}\t"
             f"{json_format.MessageToJson(m, indent=None, descriptor_pool=pool)}\n" for m in messages]
    ran = subprocess.run([convert, path], input="".join(lines), capture_output=True, text=True, check=False)
    answers = ran.stdout.split("\n")[:-1] if ran.returncode == 0 else []
    failed = 0
    for i, message in enumerate(messages):
        text, packed = answers[i].rsplit("\t", 1) if i < len(answers) else ("{}", "")
        try:
            written = json_format.Parse(text, type(message)(), descriptor_pool=pool)
            read = type(message).FromString(bytes.fromhex(packed))
            if ran.returncode != 0 or written != message or read != message:
                raise ValueError("differs")
        except Exception as problem:  # pylint: disable=broad-except
            failed += 1
            if failed <= 3:
                print(f"{problem}\n  theirs: {lines[i]}  ours: {text} {packed}")
    if ran.returncode != 0:
        print(ran.stderr)
    print(f"{N_MESSAGES - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
