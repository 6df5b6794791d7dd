"""Ports of this machine that nobody listens on, and folders for servers."""
import pathlib
import socket
import tempfile


def free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def folder():
    """A folder of its own, into which a server's own user gets whatever the caller's folders are like."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="deadstop-databases-"))
    path.chmod(0o755)
    return path
