# SPDX-License-Identifier: LGPL-2.1-or-later
"""What coursenetctl talks to, as a test plays it: the activator, and systemd on a system bus."""

import contextlib
import os
import socket
import struct
import threading

ACTIVATOR, QUERY, BUS = "/run/coursenet/activator.sock", "/run/coursenet/query.sock", "/run/dbus/system_bus_socket"

# common/protocol.h
REQUEST = struct.Struct("=IHHIIII256s32s32s128s128s")
REPLY = struct.Struct("=IHHIiQII32s8s16s256s32s128s128s512s")
PEER = struct.Struct("=II")
MAGIC, VERSION = 0x636f7572, 2
OPEN, CLOSE, STATUS, HOLD, STOP, RELOAD, ENTER, NOTE, REPORT, RELEASE, CHANGE, CAPTURE, VISIT = range(1, 14)
DONE, LEASE, NO_SEAT, NO_NAME, REFUSED, FAILED, TIMEOUT, KEPT, REPORTED = range(1, 10)
JSON, NO_LEGEND = 4, 8


class Listener:
    """Serves each connection in a thread, until end()."""

    def __init__(self, path, kind):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, kind)
        self._listener.bind(path)
        os.chmod(path, 0o600 if path == ACTIVATOR else 0o666)
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._run, args=(connection,)).start()

    def _run(self, connection):
        # The program may end at any time.
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def end(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        os.unlink(self._path)


# --- the activator ------------------------------------------------------------------------------------------------


def text_of(field):
    return field.split(b"\0", 1)[0].decode()


def reply(kind, text="", *, uid=0, pid=0, since=0, seat="", user="", service="", tty="", remote="", address=0, prefix=0):
    return REPLY.pack(MAGIC, VERSION, kind, uid, pid, since, address, prefix, b"", seat[:3].encode(), seat.encode(), user.encode(),
                      service.encode(), tty.encode(), remote.encode(), text.encode())


def request(kind, *, user="", service="", flags=0, since="", until="", at=""):
    return REQUEST.pack(MAGIC, VERSION, kind, flags, 0, 0, 0, user.encode(), until.encode(), service.encode(), at.encode(), since.encode())


class Activator(Listener):
    """Answers each request by a list of messages: those of answers[kind], or of what that returns for the words of the request."""

    def __init__(self, path, answers):
        self.answers, self.asked = answers, []
        super().__init__(path, socket.SOCK_SEQPACKET)

    def serve(self, connection):
        message, fds, _, _ = socket.recv_fds(connection, REQUEST.size, 1)
        for fd in fds:
            os.close(fd)
        _, _, kind, _, _, _, _, user, _, service, _, _ = REQUEST.unpack(message)
        self.asked.append((kind, text_of(user), text_of(service)))
        answer = self.answers.get(kind, [])
        for each in answer(text_of(user)) if callable(answer) else answer:
            connection.sendall(each)


@contextlib.contextmanager
def activator(answers, path=ACTIVATOR):
    running = Activator(path, answers)
    try:
        yield running
    finally:
        running.end()


# --- systemd ----------------------------------------------------------------------------------------------------------


class Body:
    """Marshals as the D-Bus specification says, little endian."""

    def __init__(self):
        self.data = bytearray()

    def align(self, size):
        self.data += bytes(-len(self.data) % size)

    def number(self, value, size):
        self.align(size)
        self.data += value.to_bytes(size, "little")

    def text(self, value):
        self.number(len(value.encode()), 4)
        self.data += value.encode() + b"\0"

    def signature(self, value):
        self.data += bytes([len(value)]) + value.encode() + b"\0"

    def value(self, kind, value):
        if kind in "so":
            self.text(value)
        elif kind == "g":
            self.signature(value)
        else:
            self.number(value, {"u": 4, "t": 8}[kind])

    def variant(self, value):
        kind = "s" if isinstance(value, str) else value[0]
        self.signature(kind)
        self.value(kind, value if isinstance(value, str) else value[1])

    def array(self, items, fill):
        """Of structs or dictionary entries."""
        self.number(0, 4)
        length = len(self.data) - 4
        self.align(8)
        begin = len(self.data)
        for item in items:
            self.align(8)
            fill(item)
        self.data[length:length + 4] = (len(self.data) - begin).to_bytes(4, "little")


class Call:
    """A method call, as far as the stand-in reads it: its fields by their codes, and the strings of its body."""

    def __init__(self, head, rest):
        self.no_reply = bool(head[2] & 1)
        self._data, self._at = head + rest, 16
        self.serial = int.from_bytes(head[8:12], "little")
        end = 16 + int.from_bytes(head[12:16], "little")
        fields = {}
        while self._at < end:
            self._align(8)
            code = self._data[self._at]
            self._at += 1
            kind = self._signature()
            fields[code] = self._signature() if kind == "g" else self._number() if kind == "u" else self._text()
        self.path, self.member, self.signature = fields.get(1, ""), fields.get(3, ""), fields.get(8, "")
        self._at += -self._at % 8
        self.words = [self._text() for kind in self.signature if kind == "s"] if set(self.signature) <= {"s"} else []

    def _align(self, size):
        self._at += -self._at % size

    def _number(self):
        self._align(4)
        self._at += 4
        return int.from_bytes(self._data[self._at - 4:self._at], "little")

    def _text(self):
        length = self._number()
        self._at += length + 1
        return self._data[self._at - length - 1:self._at - 1].decode()

    def _signature(self):
        length = self._data[self._at]
        self._at += length + 2
        return self._data[self._at - length - 1:self._at - 1].decode()


class Systemd(Listener):
    """A system bus with systemd only. units: the states of units by their names. properties: by unit and property, a text or a
    pair of its type and its value. templates: those that have a file."""

    def __init__(self, units, properties, templates):
        self.units, self.properties, self.templates = units, properties, templates
        super().__init__(BUS, socket.SOCK_STREAM)

    def serve(self, connection):
        with connection.makefile("rb") as stream:
            line = b""
            while not line.endswith(b"BEGIN\r\n"):
                line = stream.readline()
                connection.sendall({b"DATA": b"DATA\r\nOK " + b"0" * 32 + b"\r\n", b"NEGO": b"AGREE_UNIX_FD\r\n"}.get(line[:4], b""))
            while head := stream.read(16):
                fields, size = int.from_bytes(head[12:16], "little"), int.from_bytes(head[4:8], "little")
                call = Call(head, stream.read(fields + -fields % 8 + size))
                if not call.no_reply:
                    connection.sendall(self._answer(call))

    def _answer(self, call):
        body, fill = Body(), {"Hello": self._hello, "ListUnitsByPatterns": self._list, "Get": self._get, "GetAll": self._get_all,
                              "GetUnitFileState": self._file_state}[call.member]
        signature = fill(call, body)
        head = Body()
        head.data += b"l" + bytes([3 if signature is None else 2, 1, 1])
        head.number(0 if signature is None else len(body.data), 4)
        head.number(1, 4)
        fields = [(5, ("u", call.serial)), (7, "org.freedesktop.systemd1")]
        fields.append((4, "org.freedesktop.DBus.Error.FileNotFound") if signature is None else (8, ("g", signature)))

        def add(field):
            head.data.append(field[0])
            head.variant(field[1])
        head.array(fields, add)
        head.align(8)
        return bytes(head.data + (b"" if signature is None else body.data))

    def _hello(self, _, body):
        body.text(":1.1")
        return "s"

    def _list(self, _, body):
        def add(unit):
            for value in (unit, "", "loaded", self.units[unit], "", ""):
                body.text(value)
            body.text("/unit")
            body.number(0, 4)
            body.text("")
            body.text("/")
        body.array(sorted(self.units), add)
        return "a(ssssssouso)"

    def _get(self, call, body):
        unit = self._unit_of(call.path)
        if call.words[1] == "ActiveState":
            body.variant(self.units.get(unit, "inactive"))
        elif (unit, call.words[1]) in self.properties:
            body.variant(self.properties[unit, call.words[1]])
        else:
            return None
        return "v"

    def _get_all(self, call, body):
        unit = self._unit_of(call.path)

        def add(item):
            body.text(item[0])
            body.variant(item[1])
        body.array([(name, value) for (owner, name), value in self.properties.items() if owner == unit], add)
        return "a{sv}"

    def _file_state(self, call, body):
        if call.words[0] not in self.templates:
            return None
        body.text("static")
        return "s"

    @staticmethod
    def _unit_of(path):
        """Other characters than letters and digits are _ and their code there."""
        first, *others = path.rsplit("/", 1)[1].split("_")
        return first + "".join(chr(int(each[:2], 16)) + each[2:] for each in others)


@contextlib.contextmanager
def systemd(units, properties=None, templates=()):
    running = Systemd(units, properties or {}, templates)
    try:
        yield running
    finally:
        running.end()
