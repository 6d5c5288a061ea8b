#!/usr/bin/env python3
"""toy-load as a process: its environment, its log, its answers, its queue, its end.

toy_load_test.py BIN: the folder with toy-load. Prints a line per check that fails, then `N passed, M failed`.
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from checks import check, finish

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve() / "toy-load")


class Server:
    """A running toy-load on a free port of the loopback."""

    def __init__(self, **environment):
        self.process = subprocess.Popen(
            [PROGRAM], env={"HOST": "127.0.0.1", "PORT": "0", **environment}, stdout=subprocess.PIPE, text=True
        )
        self.log = []
        self.is_asked_to_end = False
        self.port = self.wait_for("listening")["port"]

    def wait_for(self, message):
        for line in self.process.stdout:
            self.log.append(json.loads(line))
            if self.log[-1]["msg"] == message:
                return self.log[-1]
        raise RuntimeError(f"toy-load ended without {message}: {self.log}")

    def ask(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, dict(answer.getheaders())

    def metric(self, series):
        for line in self.ask("/metrics")[1].splitlines():
            if line.startswith(series + " "):
                return float(line.split()[-1])
        return None

    def comes_to(self, series, value):
        """Asks until the metric has the value; bounded."""
        for _ in range(1000):
            if self.metric(series) == value:
                return True
            time.sleep(0.005)
        return False

    def begin(self, path):
        """A request whose answer is read later."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return client

    def ask_to_end(self):
        self.process.send_signal(signal.SIGTERM)
        self.is_asked_to_end = True

    def end(self):
        # A second signal would end it at once, with 130, if it still comes in time.
        if not self.is_asked_to_end:
            self.ask_to_end()
        rest = self.process.communicate(timeout=60)[0]
        self.log += [json.loads(line) for line in rest.splitlines()]
        return self.process.returncode


@contextlib.contextmanager
def running(code=0, **environment):
    server = Server(**environment)
    try:
        yield server
        check(server.end() == code, f"exit code {code} with {environment}", server.log)
    finally:
        server.process.kill()
        server.process.wait()


def read_all(client):
    data = b""
    with contextlib.suppress(OSError):
        while piece := client.recv(65536):
            data += piece
    return data.decode("latin-1")


def start_up():
    result = subprocess.run([PROGRAM], env={"PORT": "x", "IDLE_TIMEOUT": "9"}, capture_output=True, text=True, timeout=30)
    check(result.returncode == 2 and result.stdout == "", "bad values: exit code 2", result)
    check(result.stderr.count("\n") == 2 and "toy-load: PORT is" in result.stderr, "both variables are named", result.stderr)
    help_text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=30).stdout
    for word in ("usage: toy-load", "CONCURRENCY=", "READY_AFTER=", "MAX_HEADER_BYTES=1048576", "/readyz"):
        check(word in help_text, f"--help has {word}", help_text)
    result = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, timeout=30)
    check(result.stdout.startswith("toy-load "), "--version", result)
    with running() as server:
        result = subprocess.run(
            [PROGRAM], env={"HOST": "127.0.0.1", "PORT": str(server.port)}, capture_output=True, text=True, timeout=30
        )
        check(result.returncode == 2 and "Address already in use" in result.stderr, "a taken port", result)


def answers():
    text = "text/plain; charset=utf-8"
    with running(METRICS_PATH="/m", APP_NAME="pod") as server:
        for path, status, body in (
            ("/healthz", 200, "ok"),
            ("/readyz", 200, "ok"),
            ("/work", 200, "work: cpu_ms=0 sleep_ms=0 jitter_ms=0"),
            ("/work?cpu_ms=2&sleep_ms=3&jitter_ms=4&id=me", 200, "work: cpu_ms=2 sleep_ms=3 jitter_ms=4"),
            ("/work?payload_bytes=5", 200, "aaaaa"),
            ("/work?payload_bytes=2000000", 200, "a" * 1048576),
            ("/work?err_rate=1", 500, "error"),
            ("/work?sleep_ms=x", 400, "invalid sleep_ms: must be an integer"),
            ("/metrics", 404, "not found"),
        ):
            got = server.ask(path)
            check(got[0] == status and got[1] == body, f"GET {path}", got[:2])
            check(got[2]["Content-Type"] == text, f"GET {path} is plain text", got[2])
        status, body, headers = server.ask("/")
        check(set(json.loads(body)) == {"service", "status", "docs", "work", "metrics"}, "/ has its keys", body)
        check(json.loads(body)["service"] == "pod" and headers["Content-Type"] == "application/json", "/ is JSON", headers)
        for method in ("HEAD", "POST", "BREW"):
            status, body, headers = server.ask("/work", method=method)
            check(status == 405 and headers["Allow"] == "GET", f"{method} is not allowed", headers)

        metrics = server.ask("/m")[1]
        for line in (
            'toy_http_requests_total{code="200",method="GET",path="/work"} 4',
            'toy_http_requests_total{code="500",method="GET",path="/work"} 1',
            'toy_http_requests_total{code="404",method="GET",path="other"} 1',
            'toy_http_requests_total{code="405",method="other",path="/work"} 1',
            'toy_http_request_duration_seconds_bucket{method="GET",path="/work",le="+Inf"} 6',
            'toy_errors_total{path="/work",reason="err_rate"} 1',
            'toy_errors_total{path="/work",reason="bad_request"} 1',
            "toy_in_flight_requests 0",
            "toy_work_cpu_seconds_count 1",
            "toy_work_sleep_seconds_count 1",
            "toy_work_jitter_seconds_count 1",
        ):
            check(line in metrics.splitlines(), f"/metrics has {line}", metrics)
        buckets = [line.split('le="')[1].split('"')[0] for line in metrics.splitlines()
                   if line.startswith('toy_http_request_duration_seconds_bucket{method="GET",path="/work"')]  # fmt: skip
        wanted = "0.001 0.002 0.005 0.01 0.02 0.05 0.1 0.2 0.5 1 2 5 10 15 20 30 +Inf".split()
        check(buckets == wanted, "buckets of the request durations", buckets)
        for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
            check(f"\n{name} " in metrics, f"/metrics has {name}", metrics)


def queue():
    with running(CONCURRENCY="1", QUEUE_LIMIT="2", METRICS_PATH="/metrics") as server:
        first = server.begin("/work?sleep_ms=5000")
        check(server.comes_to("toy_busy_slots", 1), "one is worked on")
        second, third = server.begin("/work?payload_bytes=3"), server.begin("/work")
        check(server.comes_to("toy_queue_length", 2), "two wait")
        check(server.metric("toy_in_flight_requests") == 3, "three are in flight")
        status, body, headers = server.ask("/work")
        check(status == 503 and headers["Retry-After"] == "1", "a fourth is refused", (status, body, headers))
        third.close()
        check(server.comes_to("toy_queue_length", 1), "who waits may go")
        first.close()
        check(second.recv(4096).endswith(b"\r\n\r\naaa"), "its client gone, the next has its turn")
        check(server.comes_to("toy_in_flight_requests", 0), "nothing is left")
        check(server.metric('toy_http_requests_total{code="499",method="GET",path="/work"}') == 2, "who has gone is counted")
        check(server.metric("toy_queue_wait_seconds_count") == 2, "waits are measured")
    with running(CONCURRENCY="2") as server:
        clients = [server.begin("/work?sleep_ms=1") for _ in range(50)]
        check(all(b"200 OK" in client.recv(4096) for client in clients), "fifty are served two by two")
        burning = server.begin("/work?cpu_ms=5000")
        check(server.comes_to("toy_busy_slots", 1), "one burns")
        burning.close()
        check(server.comes_to("toy_busy_slots", 0), "a burn ends with its client")


def readiness_and_shutdown():
    with running(READY_AFTER="5m") as server:
        check(server.ask("/readyz")[:2] == (503, "not ready"), "not ready before its time")
        check(server.ask("/healthz")[0] == 200, "but alive")
    with running(READY_AFTER="lognormal(mean=10ms,cv=0.3)", SEED="7") as server:
        server.wait_for("ready")
        check(server.ask("/readyz")[0] == 200, "ready after a while")

    with running() as server:
        probe = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        probe.request("GET", "/readyz")
        check(probe.getresponse().read() == b"ok", "ready")
        work = server.begin("/work?sleep_ms=400")
        check(server.comes_to("toy_busy_slots", 1), "at work")
        server.ask_to_end()
        server.wait_for("shutting down")
        probe.request("GET", "/readyz")
        answer = probe.getresponse()
        check((answer.status, answer.read()) == (503, b"not ready"), "not ready from the beginning of the shutdown")
        text = read_all(work)
        check("200 OK" in text and "Connection: close" in text, "what is in flight is answered", text)
    with running(code=1, SHUTDOWN_TIMEOUT="50ms") as server:
        work = server.begin("/work?sleep_ms=5000")
        check(server.comes_to("toy_busy_slots", 1), "at work")


def signals():
    for _ in range(50):
        # Asked as soon as the line is there: the signal is watched for before anything is told.
        with running() as server:
            server.ask_to_end()
        check(server.log[-1]["msg"] == "stopped", "ends in order", server.log)
    with running(code=130) as server:
        work = server.begin("/work?sleep_ms=60000")
        check(server.comes_to("toy_busy_slots", 1), "at work")
        server.ask_to_end()
        server.wait_for("shutting down")
        server.ask_to_end()


def inherited_listener():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # As systemd does it: descriptor 3, and LISTEN_PID set between fork and exec.
    shell = f'exec env LISTEN_PID=$$ LISTEN_FDS=1 HOST=ignored {PROGRAM} 3<&{listener.fileno()}'
    process = subprocess.Popen(["/bin/sh", "-c", shell], pass_fds=[listener.fileno()], stdout=subprocess.PIPE, text=True)
    listener.close()
    check(json.loads(process.stdout.readline())["port"] == port, "the inherited port is named")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/healthz")
    check(connection.getresponse().read() == b"ok", "and served")
    process.terminate()
    process.communicate(timeout=30)
    check(process.returncode == 0, "exit code 0")


def bad_clients():
    with running(READ_HEADER_TIMEOUT="100ms", MAX_HEADER_BYTES="2000") as server:
        for garbage, status in (
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
            (b"\x00" * 64, "400"),
            (b"SSH-2.0-scanner\r\n\r\n", "400"),
            (b"GET / HTTP/1.1\r\n\r\n", "400"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 4000, "431"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n", "417"),
            (b"GET / HTTP/1.1\r\nHost: x\r\nAccept:", "408"),
        ):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            client.sendall(garbage)
            text = read_all(client)
            check(text.startswith(f"HTTP/1.1 {status} "), f"{garbage[:20]!r}: {status}", text)
        body = b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        client.sendall(body + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = read_all(client)
        check(text.startswith("HTTP/1.1 405") and text.endswith("\r\n\r\nok"), "a chunked body is read past", text)
        check(server.ask("/healthz")[1] == "ok", "well after all that")


def main():
    for part in (start_up, answers, queue, readiness_and_shutdown, signals, inherited_listener, bad_clients):
        part()
    sys.exit(finish())


main()
