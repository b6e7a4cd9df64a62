"""An HTTP server in a thread of the test."""

import http.server
import ssl
import threading


class WebServer:
    """Calls `answer(handler, body)` for each request, which returns a status, and the headers and the body of the answer.

    `certificate`: a path without the .pem and .key that follow; without it no TLS is spoken.
    """

    def __init__(self, case, answer, certificate=None, port=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, headers, body = answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": len(body), **headers}.items():
                        self.send_header(name, str(value))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # Nobody waits any more.

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate + ".pem", certificate + ".key")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        case.addCleanup(self.close)

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
