"""Messages of echo.v1, for pb."""

from pb import Message

REQUEST = Message(text=(1, "string"), number=(2, "uint"), data=(3, "bytes"))
RESPONSE = REQUEST
SLEEP_REQUEST = Message(duration_ms=(1, "uint"), text=(2, "string"))
FAIL_REQUEST = Message(code=(1, "int"), message=(2, "string"))

ECHO = "echo.v1.EchoService/Echo"
SLEEP = "echo.v1.EchoService/Sleep"
FAIL = "echo.v1.EchoService/Fail"


def echo(text="", number=0, data=b""):
    return REQUEST.encode(text=text, number=number, data=data)


def grow(n_bytes):
    """Asks echo_server for a response of that many bytes."""
    return echo("grow", n_bytes)


def sleep(duration_ms, text=""):
    return SLEEP_REQUEST.encode(duration_ms=duration_ms, text=text)


def text_of(reply):
    return RESPONSE.decode(reply.payload).get("text", "")


def data_of(reply):
    return RESPONSE.decode(reply.payload).get("data", b"")
