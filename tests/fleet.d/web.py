#!/usr/bin/python3
"""What an app host answers on port 80 in the real fleet: its name and machine-id, whatever the Host header."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers.get("Host", "")
        text = f"{socket.gethostname()} {Path('/etc/machine-id').read_text().strip()} {host}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("", 80), Page).serve_forever()
