"""Ports of this machine that nobody listens on."""
import socket


def free():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
