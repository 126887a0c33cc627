"""Messages of users.v1 and grpc.health.v1, for pb."""

from pb import Message

HEALTH_REQUEST = Message(service=(1, "string"))
HEALTH_RESPONSE = Message(status=(1, "uint"))
SERVING, NOT_SERVING = 1, 2

USER = Message(
    id=(1, "string"), email=(2, "string"), name=(3, "string"), age=(4, "uint"), etag=(7, "string")
)
CREATE_REQUEST = Message(user=(1, USER), request_id=(2, "string"), validate_only=(3, "bool"))
GET_REQUEST = Message(id=(1, "string"), email=(2, "string"))
MASK = Message(paths=(1, ["string"]))
UPDATE_REQUEST = Message(user=(1, USER), update_mask=(2, MASK))
DELETE_REQUEST = Message(id=(1, "string"), etag=(2, "string"))
LIST_REQUEST = Message(page_size=(1, "int"), page_token=(2, "string"))
LIST_RESPONSE = Message(users=(1, [USER]), next_page_token=(2, "string"))

HEALTH = "grpc.health.v1.Health/Check"
CREATE = "users.v1.UsersService/CreateUser"
GET = "users.v1.UsersService/GetUser"
UPDATE = "users.v1.UsersService/UpdateUser"
DELETE = "users.v1.UsersService/DeleteUser"
LIST = "users.v1.UsersService/ListUsers"


def create(email, name="Ada", age=36):
    return CREATE_REQUEST.encode(user={"email": email, "name": name, "age": age})
