"""Servers that answer badly, or not at all."""
import socket
import threading
import time


class Port:
    """A port at which each connection is met by a thread of its own (`pair`)."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def serve(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.pair, args=(one,), daemon=True).start()


class Listener(Port):
    """A port at which every connection is counted, and nothing is said, or always the same."""

    def __init__(self, says=b""):
        self.says, self.seen, self.held = says, 0, []

    def pair(self, one):
        self.seen += 1
        self.held.append(one)
        if self.says:
            one.sendall(self.says)

    def __exit__(self, *_):
        super().__exit__()
        for one in self.held:
            one.close()


def error(code):
    body = b"SERROR\0VERROR\0C" + code + b"\0Mno Tr0ub4dor-in-a-message\0\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


COMPLETE = b"C" + (13).to_bytes(4, "big") + b"SELECT 0\0"
# What takes the place of the answer to one question: rows and all that comes before the server is ready again.
ANSWERS = {
    "denied": lambda rows: error(b"42501"),
    "timed out": lambda rows: error(b"57014"),
    "no such function": lambda rows: error(b"42883"),
    "no rows": lambda rows: COMPLETE,
    "a row twice": lambda rows: b"".join(row + row for row in rows) + COMPLETE,
    "a value less": lambda rows: b"".join(shorter(row) for row in rows) + COMPLETE,
    "a row cut off": lambda rows: b"".join(row[:1] + (len(row) - 2).to_bytes(4, "big") + row[5:-1] for row in rows) + COMPLETE,
    "no text": lambda rows: b"D" + (12).to_bytes(4, "big") + b"\0\1\0\0\0\2\xff\xfe" + COMPLETE,
    "an endless message": lambda rows: b"D" + b"\x7f\xff\xff\xff" + b"\0" * 64,
    "another protocol": lambda rows: b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 64,
    "hangs up": None,
}


def shorter(row):
    body = row[5:]
    count, rest = int.from_bytes(body[:2], "big"), body[2:]
    size = int.from_bytes(rest[:4], "big", signed=True)
    body = (count - 1).to_bytes(2, "big") + rest[4 + max(size, 0):]
    return b"D" + (len(body) + 4).to_bytes(4, "big") + body


class Proxy(Port):
    """Stands between Deadstop and PostgreSQL, and spoils the answers to questions that hold a text."""

    def __init__(self, port, text, fault):
        self.to, self.text, self.fault, self.spoilt = port, text.encode(), fault, 0

    def pair(self, client):
        server = socket.create_connection(("127.0.0.1", self.to))
        spoil = threading.Event()

        def forth():
            try:
                while data := client.recv(1 << 16):
                    # A question and its answer take turns, so that one is under way at a time.
                    if data[:1] == b"Q" and self.text in data:
                        spoil.set()
                    server.sendall(data)
            except OSError:
                pass
            server.close()

        threading.Thread(target=forth, daemon=True).start()
        try:
            held, rows = b"", []
            while data := server.recv(1 << 16):
                if not spoil.is_set():
                    client.sendall(data)
                    continue
                held += data
                while len(held) >= 5 and len(held) >= int.from_bytes(held[1:5], "big") + 1:
                    size = int.from_bytes(held[1:5], "big") + 1
                    message, held = held[:size], held[size:]
                    if message[:1] == b"D":
                        rows.append(message)
                    if message[:1] == b"Z":
                        self.spoilt += 1
                        answer = ANSWERS[self.fault]
                        if answer is None:
                            raise OSError
                        client.sendall(answer(rows) + message)
                        rows = []
                        spoil.clear()
        except OSError:
            pass
        client.close()


class Trickle(Port):
    """A port that answers what comes first, and then says a byte at a time of a message that never ends."""

    def __init__(self, first):
        self.first, self.said = first, 0

    def pair(self, one):
        try:
            one.recv(1 << 16)
            one.sendall(self.first)
            one.recv(1 << 16)
            # The head of a record of TLS, and then what is to be a long one.
            for byte in b"\x16\x03\x03\x3f\x00" + b"\x02\x00\x3e\xfc" + b"\0" * 16000:
                one.sendall(bytes([byte]))
                self.said += 1
                time.sleep(0.1)
        except OSError:
            pass


class Alias(Port):
    """Stands between Deadstop and PostgreSQL, and asks for another database than it is asked for."""

    def __init__(self, port, asked, real):
        self.to, self.asked, self.real, self.renamed = port, asked.encode(), real.encode(), 0

    def pair(self, client):
        server = socket.create_connection(("127.0.0.1", self.to))

        def pump(source, to):
            try:
                while data := source.recv(1 << 16):
                    to.sendall(data)
            except OSError:
                pass
            to.close()

        try:
            first = client.recv(1 << 16)
            asked = b"database\0" + self.asked + b"\0"
            if asked in first:
                self.renamed += 1
                body = first[4:].replace(asked, b"database\0" + self.real + b"\0")
                first = (len(body) + 4).to_bytes(4, "big") + body
            server.sendall(first)
        except OSError:
            return
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        pump(server, client)


class Cut(Port):
    """Stands between Deadstop and a server, and hangs up once so much was said to Deadstop."""

    def __init__(self, port, limit):
        self.to, self.limit = port, limit

    def pair(self, client):
        server, left = socket.create_connection(("127.0.0.1", self.to)), self.limit

        def forth():
            try:
                while data := client.recv(1 << 16):
                    server.sendall(data)
            except OSError:
                pass

        threading.Thread(target=forth, daemon=True).start()
        try:
            while left > 0 and (data := server.recv(left)):
                client.sendall(data)
                left -= len(data)
        except OSError:
            pass
        server.close()
        client.shutdown(socket.SHUT_RDWR)
        client.close()
