#!/usr/bin/env python3
"""scripts/image: the archive holds what it says, twice the same, and its programs run with nothing else around them.

image_test.py BIN: the folder with our programs. Prints a line per check that fails, then `N passed, M failed`.
"""

import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

from checks import check, finish

BIN = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ["mpc-autoscaler", "toy-load", "loadgen"]
USER = "65532:65532"
CHROOT = shutil.which("chroot", path="/usr/sbin:/usr/bin") or "chroot"


def image(out, *arguments):
    return subprocess.run([sys.executable, "-B", ROOT / "scripts/image", "--bin", BIN, "--out", out, *arguments],
                          capture_output=True, text=True, timeout=300, check=False)


def check_layout(files):
    for name, content in files.items():
        if name.startswith("blobs/sha256/"):
            check(name.endswith(hashlib.sha256(content).hexdigest()), "a blob is called by its digest", name)

    def blob(descriptor):
        content = files["blobs/" + descriptor["digest"].replace(":", "/")]
        check(descriptor["size"] == len(content), "a blob has the size that is said", descriptor)
        return content

    check(json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}, "oci-layout")
    index = json.loads(files["index.json"])["manifests"][0]
    check(index["annotations"]["io.containerd.image.name"] == "docker.io/library/mpc-autoscaler:local", "its name", index)
    manifest = json.loads(blob(index))
    config = json.loads(blob(manifest["config"]))
    layer = blob(manifest["layers"][0])
    check(config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]], "the layer is not compressed", config)
    check(config["config"]["User"] == USER and config["config"]["Entrypoint"] == ["/usr/bin/mpc-autoscaler"],
          "who runs what", config["config"])
    docker = json.loads(files["manifest.json"])[0]
    check(docker["RepoTags"] == ["mpc-autoscaler:local"] and
          [docker["Config"], *docker["Layers"]] ==
          ["blobs/" + each["digest"].replace(":", "/") for each in (manifest["config"], manifest["layers"][0])],
          "Docker's list is about the same", docker)
    return layer


def check_tree(layer, root):
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        members = tar.getmembers()
        tar.extractall(root)
    names = [each.name for each in members]
    check(names == sorted(names), "sorted")
    check(all(each.mtime == 0 and each.uid == 0 and each.gid == 0 for each in members), "no times, no owners")
    check(not any(each.mode & 0o022 for each in members if each.isfile()), "nothing that others may write")
    check(not {"usr/bin/sh", "usr/bin/bash"} & set(names), "no shell")
    for wanted in ("etc/ssl/certs/ca-certificates.crt", "usr/share/zoneinfo/Europe/Berlin", "etc/passwd",
                   "usr/share/doc/mpc-autoscaler/LICENSE", "usr/share/doc/libc6/copyright"):
        check(wanted in names, f"{wanted} is there")


def in_root(root, *command):
    return subprocess.run([CHROOT, f"--userspec={USER}", root, *command], capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin"}, check=False)


def check_runs(root):
    for name in PROGRAMS:
        said = in_root(root, f"/usr/bin/{name}", "--version")
        check(said.returncode == 0 and said.stdout.startswith(name + " "), f"{name} runs", said.stdout + said.stderr)
    # In Berlin's time: the zones are there.
    (root / "full.yaml").write_bytes((ROOT / "tests/data/autoscaler/full.yaml").read_bytes())
    said = in_root(root, "/usr/bin/mpc-autoscaler", "crd", "--check", "/full.yaml")
    check("sale@2026-11-27T07:00:00Z" in said.stdout, "a zone is known", said.stdout + said.stderr)


def may_chroot():
    if os.geteuid() != 0 or shutil.which(CHROOT) is None:
        return False
    return subprocess.run([CHROOT, "/", "true"], capture_output=True, check=False).returncode == 0


def main():
    with tempfile.TemporaryDirectory() as directory:
        out, again, root = (pathlib.Path(directory) / name for name in ("one.tar", "two.tar", "root"))
        made = image(out)
        check(made.returncode == 0 and "docker load -i" in made.stdout, "it is made", made.stderr)
        if not out.exists():
            return finish()
        image(again)
        check(out.read_bytes() == again.read_bytes(), "twice the same bytes")
        with tarfile.open(out) as tar:
            files = {each.name: tar.extractfile(each).read() for each in tar.getmembers()}
        root.mkdir()
        check_tree(check_layout(files), root)
        if may_chroot():
            check_runs(root)
        else:
            print("skipped: its programs were not run: that needs root and chroot")
        refused = image(again, "--tag", "untagged")
        check(refused.returncode == 2 and "--tag wants a name" in refused.stderr, "a name needs a version", refused.stderr)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
