"""The client suites of tests/kube, which run against a stand-in by default, against the real API server."""

import os
import re
import subprocess

from checks import check

NAMESPACE = "mpca-test"
BINDING = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "tester", "namespace": NAMESPACE},
           "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
           "subjects": [{"kind": "ServiceAccount", "name": "tester", "namespace": NAMESPACE}]}  # fmt: skip


def run(cluster):
    plane = cluster.plane
    plane.admin.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
                     {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tester", "namespace": NAMESPACE}}, BINDING)  # fmt: skip
    env = dict(os.environ, MPCA_TEST_KUBE_SERVER=cluster.server, MPCA_TEST_KUBE_CA=plane.certificates.ca,
               MPCA_TEST_KUBE_TOKEN=plane.token(NAMESPACE, "tester"))  # fmt: skip
    done = subprocess.run([cluster.tests / "kube_test", "--gtest_filter=*Suite*/real"], env=env, capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip
    (cluster.folder / "logs" / "client-suites.log").write_text(done.stdout + done.stderr)
    results = re.findall(r"^\[ +(OK|FAILED) +\] (\S+?)(?:, .*)? \(", done.stdout, re.MULTILINE)
    check(len(results) >= 10, "the suites run against the real server", done.stdout + done.stderr)
    for result, name in results:
        about = done.stdout.split(f"[ RUN      ] {name}")[-1].split("[  FAILED  ]")[0]
        check(result == "OK", name, about)
