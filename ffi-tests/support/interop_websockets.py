"""An echo server made of PyPI's websockets: `interop_websockets.py [CERTS_DIR]`.

Prints the ports of `ws` and `wss` as a line of JSON, and of `ws_deflate` and `wss_deflate`, which compress every
message; ends when its standard input does. Commands are text messages: `close:CODE:REASON` closes, `fragments:A|B|C`
comes back in fragments, `ping` comes back once a ping was answered.
"""

import asyncio
import contextlib
import json
import os
import ssl
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def answer(connection, message):
    name, _, value = message.partition(":") if isinstance(message, str) else ("", "", "")
    if name == "close":
        code, _, reason = value.partition(":")
        await connection.close(int(code), reason)
    elif name == "fragments":
        await connection.send(value.split("|"))
    elif name == "ping":
        await (await connection.ping(b"interop"))
        await connection.send(message)
    else:
        await connection.send(message)


async def echo(connection):
    try:
        async for message in connection:
            await answer(connection, message)
    except ConnectionClosed:
        pass


def chat(_connection, offered):
    return "chat" if "chat" in offered else None


async def main():
    certs = sys.argv[1] if len(sys.argv) > 1 else os.environ["TARO_TEST_CERTS"]
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(certs, "good.pem"), os.path.join(certs, "good.key"))
    options = {"max_size": None, "ping_interval": None, "select_subprotocol": chat}
    async with contextlib.AsyncExitStack() as servers:
        ports = {}
        for suffix, compression in (("", None), ("_deflate", "deflate")):
            for scheme, context in (("ws", None), ("wss", tls)):
                server = serve(echo, "127.0.0.1", 0, ssl=context, compression=compression, **options)
                ports[scheme + suffix] = (await servers.enter_async_context(server)).sockets[0].getsockname()[1]
        print(json.dumps(ports), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        os._exit(0)  # whoever is still connected


asyncio.run(main())
