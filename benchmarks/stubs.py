"""Two servers that take everything: Microsoft Graph's mail part over HTTP, and an SMTP sink."""

import asyncio
import json
import sys
from itertools import count

_numbers = count(1)


async def graph(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Token, draft, send, read back; nothing is kept."""
    base = "application/json\r\n"
    while line := await reader.readline():
        method, target, _ = line.decode().split(" ", 2)
        length = 0
        while (header := (await reader.readline()).strip().lower()) != b"":
            if header.startswith(b"content-length:"):
                length = int(header.partition(b":")[2])
        if length:
            await reader.readexactly(length)
        status, body = "200 OK", b""
        if target.endswith("/token"):
            body = json.dumps({"access_token": "token", "expires_in": 3600}).encode()
        elif target.endswith("/send"):
            status = "202 Accepted"
        else:
            status = "201 Created" if method == "POST" else "200 OK"
            number = next(_numbers)
            body = json.dumps(
                {
                    "id": f"AAMk{number}",
                    "internetMessageId": f"<{number}@stub.example>",
                    "isDraft": method == "POST",
                }
            ).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: {base}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
    writer.close()


async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says yes to everything (RFC 5321)."""
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        word = line[:4].upper()
        if word == b"DATA":
            writer.write(b"354 go on\r\n")
            await writer.drain()
            while (await reader.readline()) != b".\r\n":
                pass
            writer.write(b"250 taken\r\n")
        elif word == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        elif word == b"EHLO":
            writer.write(b"250-sink\r\n250 8BITMIME\r\n")
        else:
            writer.write(b"250 fine\r\n")
        await writer.drain()
    writer.close()


async def main() -> None:
    """Listen on free ports and print them; until killed."""
    servers = [
        await asyncio.start_server(answer, "127.0.0.1", 0, limit=1024 * 1024)
        for answer in (graph, smtp)
    ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    sys.stdout.write(json.dumps({"graph": ports[0], "smtp": ports[1]}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
