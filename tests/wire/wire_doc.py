"""The tables of docs/wire.md, and the recipes of its bad frames."""

import os
import re

import pb

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "wire.md")
CHECK = "grpc.health.v1.Health/Check"
CREATE = "users.v1.UsersService/CreateUser"


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables(path=PATH):
    """Every table as (section, header, {id: row}), a row being {column: text}."""
    found, section, header = [], "", None
    with open(path, encoding="utf-8") as page:
        for line in page:
            if line.startswith("## "):
                section = line[3:].split(".")[0]
            if not line.startswith("|"):
                header = None
            elif header is None:
                header = cells(line)
                found.append((section, header, {}))
            elif not line.startswith("|---"):
                row = dict(zip(header, cells(line)))
                if row["id" if "id" in row else header[0]] in found[-1][2]:
                    raise ValueError("twice in one table: " + line)
                found[-1][2][row.get("id", row[header[0]])] = row
    return found


def table(section, *columns):
    """The rows of the tables of @section that have these columns, joined."""
    rows = {}
    for of, header, table_rows in tables():
        if of == str(section) and set(columns) <= set(header):
            rows.update(table_rows)
    if not rows:
        raise KeyError("docs/wire.md has no such table: %s %s" % (section, columns))
    return rows


def limits():
    return {name: int(row["default"]) for name, row in table(8, "limit", "default").items()}


def constants():
    """Of section 14, those that are numbers."""
    return {name: int(row["value"]) for name, row in table(14, "constant", "value").items()}


TOKEN = re.compile(r'\s*(?:"([^"]*)"|(LIMIT(?:\+\d+)?)|([a-z]+)\(|([0-9A-F]{2})(?![0-9A-Za-z])|(\d+)|([HC])|([(),]))')


class Recipe:
    """Evaluates the recipes of section 13."""

    def __init__(self, limit, client_id):
        self.limit, self.client_id = limit, client_id

    def body(self, text):
        self.text, self.at, self.padded = text.strip("`"), 0, None
        out = self._terms(end=None)
        if self.padded is not None:
            head = len(pb.key(15, 2))
            room = self.padded - len(out) - head
            fill = next(n for n in range(room - 5, room) if len(pb.varint(n)) + n == room)
            out += pb.data(15, bytes(fill))
        return out

    def _peek(self):
        match = TOKEN.match(self.text, self.at)
        if match is None and self.text[self.at :].strip():
            raise ValueError("recipe: " + self.text[self.at :])
        return match

    def _terms(self, end):
        """Bytes of the terms up to @end, which is eaten."""
        out = bytearray()
        while True:
            match = self._peek()
            if match is None:
                if end is not None:
                    raise ValueError("recipe without end: " + self.text)
                return bytes(out)
            self.at = match.end()
            text, _, name, octet, number, symbol, mark = match.groups()
            if text is not None:
                out += text.encode()
            elif name:
                out += getattr(self, "_do_" + name)()
            elif octet:
                out.append(int(octet, 16))
            elif symbol:
                out += b"PI\x01\x10" if symbol == "H" else pb.data(1, self.client_id)
            elif mark and mark == end:
                return bytes(out)
            else:
                raise ValueError("recipe: " + self.text[match.start() :] + str(number))

    def _number(self):
        """A number and the comma or bracket behind it: (value, whether more follows)."""
        match = re.compile(r"\s*(?:(LIMIT)(?:\+(\d+))?|(\d+))\s*([,)])").match(self.text, self.at)
        self.at = match.end()
        value = self.limit + int(match[2] or 0) if match[1] else int(match[3])
        return value, match[4] == ","

    def _two_numbers(self):
        first, _ = self._number()
        second, _ = self._number()
        return first, second

    def _number_and_terms(self):
        number, more = self._number()
        return number, self._terms(")") if more else b""

    def _do_key(self):
        return pb.key(*self._two_numbers())

    def _do_uint(self):
        return pb.uint(*self._two_numbers())

    def _do_len(self):
        number, length = self._two_numbers()
        return pb.key(number, 2) + pb.varint(length)

    def _do_bytes(self):
        return pb.data(*self._number_and_terms())

    def _do_repeat(self):
        count, terms = self._number_and_terms()
        return terms * count

    def _do_nest(self):
        depth, _ = self._number()
        number, terms = self._number_and_terms()
        # inside out, in pieces: a string that grows 10,000 times is quadratic
        pieces, length = [terms], len(terms)
        for _ in range(depth):
            pieces.append(pb.key(number, 2) + pb.varint(length))
            length += len(pieces[-1])
        return b"".join(reversed(pieces))

    def _do_groups(self):
        depth, number = self._two_numbers()
        return pb.key(number, 3) * depth + pb.key(number, 4) * depth

    def _do_pad(self):
        self.padded, _ = self._number()
        return b""

    def _do_call(self):
        call_id, terms = self._number_and_terms()
        return pb.data(2, pb.uint(1, call_id) + pb.data(2, CHECK.encode()) + terms)

    def _do_create(self):
        call_id, terms = self._number_and_terms()
        return pb.data(2, pb.uint(1, call_id) + pb.data(2, CREATE.encode()) + pb.data(3, terms))
