"""Child processes of the test cluster: each with a log file, ended by its own id only."""

import os
import signal
import subprocess


class Process:
    def __init__(self, name, command, log, env=None):
        self.name, self.log = name, log
        # Proxies of the machine must not come between processes of the namespace.
        clean = {key: value for key, value in (env or os.environ).items() if not key.lower().endswith("_proxy")}
        with open(log, "ab") as out:
            self.child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, env=clean)  # fmt: skip

    @property
    def pid(self):
        return self.child.pid

    def is_running(self):
        return self.child.poll() is None

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def resume(self):
        self.child.send_signal(signal.SIGCONT)

    def stop(self, grace_s=10):
        """SIGTERM, and SIGKILL when that takes too long; the exit code."""
        if self.is_running():
            self.resume()
            self.child.terminate()
            try:
                self.child.wait(grace_s)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait()

    def kill(self):
        self.child.kill()
        return self.child.wait()

    def tail(self, count=2000):
        with open(self.log, "rb") as file:
            return file.read()[-count:].decode(errors="replace")
