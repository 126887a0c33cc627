"""Protocol buffers, as much as docs/wire.md needs: an encoder and a strict decoder.

A message type is a Message; its values are plain dicts with every field that
was set, and `get` gives proto3's defaults for the others.
"""


class Malformed(Exception):
    """Bytes that are no message of the type."""


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def key(number, wire_type):
    return varint(number << 3 | wire_type)


def uint(number, value):
    return key(number, 0) + varint(value)


def data(number, value):
    return key(number, 2) + varint(len(value)) + value


def read_varint(buffer, at):
    value = 0
    for n in range(10):
        if at >= len(buffer):
            raise Malformed("cut varint")
        byte = buffer[at]
        at += 1
        value |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return value & ((1 << 64) - 1), at
    raise Malformed("varint of more than 10 bytes")


def read_fields(buffer):
    """Yields (number, wire type, value) of each field."""
    at = 0
    while at < len(buffer):
        tag, at = read_varint(buffer, at)
        number, wire_type = tag >> 3, tag & 7
        if number == 0 or number >= 1 << 29:
            raise Malformed("field number")
        if wire_type == 0:
            value, at = read_varint(buffer, at)
        elif wire_type == 2:
            length, at = read_varint(buffer, at)
            value = bytes(buffer[at : at + length])
            if len(value) != length:
                raise Malformed("length past the end")
            at += length
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
            if len(buffer) - at < length:
                raise Malformed("cut fixed field")
            value = int.from_bytes(buffer[at : at + length], "little")
            at += length
        else:
            raise Malformed("wire type %d" % wire_type)
        yield number, wire_type, value


WIRE_TYPES = {"uint": 0, "int": 0, "bool": 0, "fixed64": 1, "bytes": 2, "string": 2}


class Message:
    """A message type: fields are NAME=(number, type) or (number, [type]) where repeated.

    A type is "uint", "int", "bool", "fixed64", "bytes", "string" or a Message.
    """

    def __init__(self, **fields):
        self.fields = fields
        self.by_number = {spec[0]: (name, spec[1]) for name, spec in fields.items()}

    def encode(self, **values):
        out = bytearray()
        for name, value in values.items():
            number, kind = self.fields[name]
            if not isinstance(kind, list):
                out += self._field(number, kind, value)
            elif kind[0] == "uint":
                out += data(number, b"".join(map(varint, value))) if value else b""
            else:
                out += b"".join(self._field(number, kind[0], item) for item in value)
        return bytes(out)

    def decode(self, buffer):
        out = {}
        for number, wire_type, value in read_fields(buffer):
            if number not in self.by_number:
                continue
            name, kind = self.by_number[number]
            repeated = isinstance(kind, list)
            kind = kind[0] if repeated else kind
            want = 2 if isinstance(kind, Message) else WIRE_TYPES[kind]
            if repeated and want == 0 and wire_type == 2:
                at = 0
                while at < len(value):
                    item, at = read_varint(value, at)
                    out.setdefault(name, []).append(item)
                continue
            if wire_type != want:
                raise Malformed("%s has wire type %d" % (name, wire_type))
            value = self._value(kind, value)
            if repeated:
                out.setdefault(name, []).append(value)
            else:
                out[name] = value
        return out

    @staticmethod
    def _field(number, kind, value):
        if isinstance(kind, Message):
            return data(number, kind.encode(**value))
        if kind in ("uint", "int", "bool"):
            return uint(number, int(value))
        if kind == "fixed64":
            return key(number, 1) + value.to_bytes(8, "little")
        return data(number, value.encode() if isinstance(value, str) else value)

    @staticmethod
    def _value(kind, value):
        if isinstance(kind, Message):
            return kind.decode(value)
        if kind == "string":
            try:
                return value.decode()
            except UnicodeDecodeError as error:
                raise Malformed("bad UTF-8") from error
        if kind == "int":
            return value - (1 << 64) if value >> 63 else value
        return bool(value) if kind == "bool" else value
