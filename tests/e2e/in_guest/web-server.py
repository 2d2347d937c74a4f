"""A web server at port 80 of every address, whose only page is the client's address: so NAT can be seen."""

import http.server
import ipaddress
import socket


class SayClient(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        address = ipaddress.ip_address(self.client_address[0])
        page = f"{getattr(address, 'ipv4_mapped', None) or address}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


if __name__ == "__main__":
    Server(("::", 80), SayClient).serve_forever()
