#!/usr/bin/env python3
"""A receiver that verifies our signatures by itself, with Python's hmac, as standardwebhooks.com says.

usage: verify_signature.py WEBHOOK_SENDER
"""
import base64
import hashlib
import hmac
import http.server
import os
import subprocess
import sys
import threading
import time

old = base64.b64encode(b"an old secret of 30 bytes, ok!").decode()
new = base64.b64encode(os.urandom(32)).decode()
received = []


def is_signed_with(secret, headers, body):
    message = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    digest = hmac.new(base64.b64decode(secret), message, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(expected, given) for given in headers["webhook-signature"].split(" "))


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        received.append((self.headers, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/hook"
environment = os.environ | {"OLD": "whsec_" + old, "NEW": "whsec_" + new}
subprocess.run([sys.argv[1], url, "env:NEW", "env:OLD"], env=environment, check=True, timeout=60)
subprocess.run([sys.argv[1], url, "env:NEW"], env=environment, check=True, timeout=60)

both, one = received
assert is_signed_with(new, *both) and is_signed_with(old, *both), "either secret verifies while both are in use"
assert is_signed_with(new, *one) and not is_signed_with(old, *one), "only the new one verifies afterwards"
assert not is_signed_with(new, one[0], one[1] + b" "), "a changed body does not verify"
assert both[0]["webhook-id"] == one[0]["webhook-id"], "the delivery's key stays"
assert abs(int(one[0]["webhook-timestamp"]) - time.time()) < 300, "the time is now"
print("verified")
