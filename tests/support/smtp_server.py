#!/usr/bin/env python3
"""A real SMTP server (aiosmtpd) on a loopback port, for tests.

Prints "port N" when it listens, then one line of JSON for each mail that it has taken. A recipient says what becomes
of it: refuse550@… and refuse451@… are refused so, hang@… gets no reply. Ends when its standard input does.
"""
import argparse
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("--certificate", help="PEM file of certificate and key: STARTTLS is required then")
parser.add_argument("--user")
parser.add_argument("--password")
arguments = parser.parse_args()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name.startswith("refuse"):
            return f"{name[6:]} {address} is not wanted here"
        if name == "hang":
            await asyncio.sleep(3600)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        taken = {
            "mail_from": envelope.mail_from,
            "rcpt_tos": envelope.rcpt_tos,
            "headers": {name: str(value) for name, value in mail.items()},
            "names": [name for name in mail.keys()],
            "body": mail.get_content().replace("\r\n", "\n"),
            "raw": envelope.content.decode("ascii"),
            "tls": session.ssl is not None,
            "login": session.auth_data.decode() if session.authenticated else None,
        }
        print(json.dumps(taken), flush=True)
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    if data.login == arguments.user.encode() and data.password == arguments.password.encode():
        return AuthResult(success=True, auth_data=data.login)
    return AuthResult(success=False, handled=False)


def make_server():
    settings = {"hostname": "test.example"}
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate)
        settings |= {"tls_context": context, "require_starttls": True}
    if arguments.user:
        settings |= {"authenticator": authenticator, "auth_required": True, "auth_require_tls": True}
    return SMTP(Handler(), **settings)


async def main():
    server = await asyncio.get_running_loop().create_server(make_server, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
