"""Speaks TLS on a port and hands everything on to a socket, as a managed Redis does: PORT CERTIFICATE SOCKET."""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import suppress


async def main() -> None:
    port, certificate, path = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    server = await asyncio.start_server(serve, "localhost", int(port), ssl=context)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        writer.close()


asyncio.run(main())
