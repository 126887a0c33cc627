"""The list of scenarios, each a sentence, a function and the servers that it runs against."""

USERSD, ECHO, ANY = ("usersd",), ("echo",), ("usersd", "echo")
IPC, TRANSPORTS = ("ipc",), ("ipc", "tcp")
SEALED, EACH = ("sealed",), ("ipc", "tcp", "sealed")

ALL = []


def scenario(sentence, servers, transports=IPC, options=(), own=False):
    """@own: on a server process that no other scenario uses, for those who end it."""

    def add(function):
        ALL.append((sentence, function, servers, transports, tuple(options), own))
        return function

    return add
