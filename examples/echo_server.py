"""A WebSocket echo server on 127.0.0.1 for the demo: ws and wss, the standard library alone.

echo_server.py CERTIFICATE KEY: prints one line of JSON with both ports, ends when its standard input does. It picks
the first subprotocol that is offered. Where the path is not /echo it says goodbye (close 1000) in place of echoing.
"""

import asyncio
import base64
import hashlib
import json
import ssl
import struct
import sys

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CLOSE, PING, PONG = 8, 9, 10
GOODBYE = struct.pack("!H", 1000) + b"goodbye"


def frame(opcode, payload):
    head = bytes([0x80 | opcode])
    if len(payload) < 126:
        head += bytes([len(payload)])
    elif len(payload) < 65536:
        head += struct.pack("!BH", 126, len(payload))
    else:
        head += struct.pack("!BQ", 127, len(payload))
    return head + payload


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", await reader.readexactly(8))
    key = await reader.readexactly(4)
    masked = await reader.readexactly(length)
    return first & 0x0F, bytes(byte ^ key[at % 4] for at, byte in enumerate(masked))


async def echo(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    accept = base64.b64encode(hashlib.sha1((fields["Sec-WebSocket-Key"] + GUID).encode()).digest())
    protocol = fields.get("Sec-WebSocket-Protocol", "").split(",")[0]
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n"
        + (b"Sec-WebSocket-Protocol: " + protocol.encode() + b"\r\n" if protocol else b"")
        + b"\r\n"
    )
    if head.split(" ")[1] != "/echo":
        writer.write(frame(CLOSE, GOODBYE))
        while (await read_frame(reader))[0] != CLOSE:
            pass
        return
    opcode = None
    while opcode != CLOSE:
        opcode, payload = await read_frame(reader)
        if opcode != PONG:
            writer.write(frame(PONG if opcode == PING else opcode, payload))
            await writer.drain()


async def serve(reader, writer):
    try:
        await echo(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client went away: there is nobody to tell
    finally:
        writer.close()


async def main(certificate, key):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    plain = await asyncio.start_server(serve, "127.0.0.1", 0)
    secure = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    ports = {"ws": plain.sockets[0].getsockname()[1], "wss": secure.sockets[0].getsockname()[1]}
    print(json.dumps(ports), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
