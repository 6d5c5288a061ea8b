#!/usr/bin/env python3
"""loadgen as its users call it, against small servers of its own: reports, files, TLS, Ctrl-C, and what goes wrong.

loadgen_test.py BIN: the folder with loadgen and mpc-autoscaler. Prints a line per check that fails, then `N passed, M failed`.
"""

import csv
import http.server
import json
import pathlib
import re
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request

from checks import check, finish

BIN = pathlib.Path(sys.argv[1]).resolve()


def run(*arguments, program="loadgen"):
    return subprocess.run([str(BIN / program), *map(str, arguments)], capture_output=True, text=True, timeout=60)


def expect(result, code, out=(), err=()):
    what = " ".join(result.args[1:])
    shown = f"exit {result.returncode}\n  out: {result.stdout[:600]!r}\n  err: {result.stderr[:600]!r}"
    check(result.returncode == code, f"{what}: exit code {code}", shown)
    for text in out:
        check(text in result.stdout, f"{what}: stdout has {text!r}", shown)
    for text in err:
        check(text in result.stderr, f"{what}: stderr has {text!r}", shown)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        if self.path == "/never":
            self.server.ended.wait()
            return
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class TcpServer(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    block_on_close = False


class Ipv6Server(TcpServer):
    address_family = socket.AF_INET6


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("unix", 0)


def start(server):
    server.seen, server.ended = [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def account(result):
    """due, succeeded, failed, cancelled from the error stream."""
    found = re.search(r"requests: (\d+) due = (\d+) succeeded \+ (\d+) failed \+ (\d+) cancelled", result.stderr)
    return tuple(int(number) for number in found.groups()) if found else None


def reports(server, folder):
    url = f"http://127.0.0.1:{server.server_port}"
    plain = run("--url", f"{url}/", "--rate", 50, "--duration", "1s", "--header", "X-Test: 1", "--series", folder / "s.csv",
                "--histogram", folder / "a.results")  # fmt: skip
    expect(plain, 0, out=["Requests      [total, rate, throughput]         50, ", "Status Codes  [code:count]                      200:50  \n"])
    check(account(plain) == (50, 50, 0, 0), "the account of a plain run", plain.stderr)
    check(server.seen[0][2].get("X-Test") == "1", "--header is sent", server.seen[0])
    rows = list(csv.DictReader(open(folder / "s.csv", encoding="ascii")))
    check([row["due"] for row in rows] == ["50"], "--series has a row per second", rows)

    busy = run("--url", f"{url}/busy", "--rate", 50, "--duration", "0.2s", "--report", "json", "--histogram", folder / "b.results")
    expect(busy, 0)
    report = json.loads(busy.stdout)
    check(report["status_codes"] == {"503": 10} and report["success"] == 0, "JSON of a 503 storm", report)

    merged = run("merge", "--report", "text", folder / "a.results", folder / "b.results")
    expect(merged, 0, out=["200:50  503:10  \n", "503 Service Unavailable"])
    expect(run("merge", folder / "a.results", "--report", "hdr"), 0, out=["1/(1-Percentile)", "Total count    =           50]"])


def targets_and_phases(server, folder):
    url = f"http://127.0.0.1:{server.server_port}"
    (folder / "body").write_text("payload")
    (folder / "targets").write_text(f"GET {url}/one\n\nPOST {url}/two\nX-Two: yes\n@body\n")
    (folder / "phases.csv").write_text("phase_idx,duration,rate_rps\n0,1s,20\n1,1s,40\n")
    server.seen.clear()
    run_dir = folder / "run"
    run_dir.mkdir()
    result = run("--targets", folder / "targets", "--phases", folder / "phases.csv", "--speed", 4, "--out", run_dir / "incluster-report.txt")
    expect(result, 0)
    check(account(result) == (15, 15, 0, 0), "phases at four times their speed are due a quarter as often", result.stderr)
    check(sorted(set(seen[:2] for seen in server.seen)) == [("GET", "/one"), ("POST", "/two")], "targets in turn", server.seen)

    # The text report is what our own reader of vegeta's reports takes, a phase per block.
    summary = run("report", "summarize-run", "--run-dir", run_dir, "--out-phase-csv", folder / "phases-out.csv", program="mpc-autoscaler")
    expect(summary, 0)
    rows = list(csv.DictReader(open(folder / "phases-out.csv", encoding="utf-8")))
    check([row["phase"] for row in rows] == ["1", "2"], "a row per phase from the report", rows)
    check(all(row["success_ratio_pct"] == "100.00" and float(row["throughput_rps"]) > 0 for row in rows), "its figures", rows)

    (folder / "trace.csv").write_text("step,timestamp_s,rps\n0,0,10\n1,1,30\n")
    traced = run("--url", f"{url}/", "--trace", folder / "trace.csv", "--scale", 2, "--speed", 2, "--arrivals", "poisson", "--seed", 3)
    expect(traced, 0)
    again = run("--url", f"{url}/", "--trace", folder / "trace.csv", "--scale", 2, "--speed", 2, "--arrivals", "poisson", "--seed", 3)
    check(account(traced)[0] == account(again)[0] > 0, "Poisson arrivals repeat with their seed", traced.stderr)


def ways_to_connect(server, folder):
    try:
        six = start(Ipv6Server(("::1", 0), Handler))
    except OSError:
        print("skipped: no IPv6 on loopback here")
    else:
        result = run("--url", f"http://[::1]:{six.server_port}/", "--rate", 50, "--duration", "0.2s")
        check(account(result) == (10, 10, 0, 0), "IPv6", result.stderr)
    start(UnixServer(str(folder / "socket"), Handler))
    result = run("--url", "http://anything/", "--unix-socket", folder / "socket", "--rate", 50, "--duration", "0.2s")
    check(account(result) == (10, 10, 0, 0), "Unix socket", result.stderr)
    result = run("--url", f"http://localhost:{server.server_port}/", "--rate", 50, "--duration", "0.2s", "--no-keep-alive")
    check(account(result) == (10, 10, 0, 0), "a name, without keep-alive", result.stderr)


def tls(folder):
    if not shutil.which("openssl"):
        print("skipped: no openssl here to make a certificate with")
        return
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    server = TcpServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    # The handshake belongs to the connection's own thread: a client that gives up must not stop the server.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None
    start(server)
    common = ["--rate", 50, "--duration", "0.2s", "--report", "json"]
    good = run("--url", f"https://localhost:{server.server_port}/", "--cacert", certificate, *common)
    check(account(good) == (10, 10, 0, 0), "TLS with a trusted authority", good.stderr)
    insecure = run("--url", f"https://127.0.0.1:{server.server_port}/", "--insecure", *common)
    check(account(insecure) == (10, 10, 0, 0), "TLS with --insecure", insecure.stderr)
    for what, arguments in {
        "an unknown authority": [f"https://localhost:{server.server_port}/"],
        "another name": [f"https://127.0.0.1:{server.server_port}/", "--cacert", certificate],
    }.items():
        bad = run("--url", *arguments, *common)
        errors = json.loads(bad.stdout)["loadgen"]["errors"]
        check(errors == {"certificate refused": 10}, f"TLS with {what}", bad.stdout)


def ctrl_c(server):
    command = [str(BIN / "loadgen"), "--url", f"http://127.0.0.1:{server.server_port}/never", "--rate", "100", "--duration", "60s"]
    seen_before = len(server.seen)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        poll = threading.Event()
        for _ in range(2000):
            if len(server.seen) > seen_before + 3:
                break
            poll.wait(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    process_result = subprocess.CompletedProcess(command, process.returncode, out, err)
    expect(process_result, 130, out=["Requests      [total, rate, throughput]"])
    due, succeeded, failures, cancelled = account(process_result)
    check(due == cancelled > 3 and succeeded == failures == 0, "Ctrl-C counts what was outstanding", err)
    server.ended.set()


def metrics(server):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(BIN / "loadgen"), "--url", f"http://127.0.0.1:{server.server_port}/", "--rate", "50", "--duration", "60s",
               "--metrics-port", str(port)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        text = ""
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    text = answer.read().decode()
            except OSError:
                pass
            if 'loadgen_responses_total{code="200"}' in text:
                break
            threading.Event().wait(0.02)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    check(re.search(r'loadgen_responses_total\{code="200"\} [1-9]', text), "metrics while running", text)
    check('loadgen_latency_seconds{quantile="0.99"} ' in text and "loadgen_outstanding " in text, "all its metrics", text)


def in_a_pod(server):
    """As the load Job of an experiment calls it."""
    url = f"http://127.0.0.1:{server.server_port}"
    done = run("--url", f"{url}/", "--phase", "1s@20", "--phase", "500ms@40", "--wait", "5s", "--report", "log")
    expect(done, 0, out=["Requests      [total, rate, throughput]         20, ", "loadgen-result head "])
    lines = [line for line in done.stdout.splitlines() if line.startswith("loadgen-result ")]
    check(max(map(len, lines)) < 8192 and len(lines) == 1 + int(lines[0].split()[3]), "short lines, as many as it says", lines[0])
    expect(run("--url", "http://127.0.0.1:1/", "--phase", "1s@1", "--wait", "1s"), 1, err=["no good answer within 1s: connection refused"])
    expect(run("--url", f"{url}/busy", "--phase", "1s@1", "--wait", "1s"), 1, err=["no good answer within 1s: status 503"])
    expect(run("--url", f"{url}/", "--phase", "1s", "--phase", "0s@3"), 2, err=['--phase is "1s"; must be DURATION@RATE', '--phase is "0s@3"'])


def what_goes_wrong(folder):
    expect(run("--url", "ftp://x/", "--rate", 3, "--duration", "1s"), 2, err=["must begin with http:// or https://"])
    expect(
        run("--rate", 3, "--trace", "x", "--header", "bad", "--out", folder / "none" / "x"), 2,
        err=["needs --url or --targets", "needs --rate with --duration, or --phases, --phase or --trace", "cannot write"],
    )  # fmt: skip
    expect(run("--url", "http://x/", "--rate", 0.5, "--duration", "1s", "--threads", 0), 2, err=["--threads is \"0\"; must be a whole number >= 1"])
    (folder / "bad-targets").write_text("GET\n\nGET http://a/\nnothing\n")
    bad = run("--targets", folder / "bad-targets", "--rate", 1, "--duration", "1s")
    expect(bad, 2, err=["bad-targets: line 1: ", "bad-targets: line 4: "])
    (folder / "bad.results").write_text("something else\n")
    expect(run("merge", folder / "bad.results"), 2, err=["bad.results: line 1: must be \"loadgen-results 1\""])
    refused = run("--url", "http://127.0.0.1:1/", "--rate", 50, "--duration", "0.2s")
    expect(refused, 0, out=["Success       [ratio]                           0.00%", "0:10  \n", "connection refused"])
    waits = run("--url", "http://127.0.0.1:1/", "--rate", 50, "--duration", "0.2s", "--strict")
    check(waits.returncode in (0, 1), "--strict says how the client did", waits.stderr)
    help_page = run("--help")
    expect(help_page, 0, out=["usage: loadgen [options]", "--rate", "  merge  ", "loadgen --url "])
    expect(run("--version"), 0, out=["loadgen "])


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = start(TcpServer(("127.0.0.1", 0), Handler))
        reports(server, folder)
        targets_and_phases(server, folder)
        ways_to_connect(server, folder)
        tls(folder)
        metrics(server)
        in_a_pod(server)
        what_goes_wrong(folder)
        ctrl_c(server)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
