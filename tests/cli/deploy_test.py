#!/usr/bin/env python3
"""deploy/: every manifest says what it should, and nothing it should not.

deploy_test.py BIN: the folder with mpc-autoscaler. Prints a line per check that fails, then `N passed, M failed`.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import check, finish

try:
    import yaml
except ImportError:
    print("skipped: there is no yaml for Python: scripts/install-packages test")
    sys.exit(77)

BIN = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
NAMESPACE = "mpc-system"
# What the controller may change anywhere in the cluster.
CLUSTER_WRITES = {
    ("autoscaling.mpc.dev", "predictiveautoscalers/status"): {"patch"},
    ("apps", "deployments/scale"): {"patch"},
    ("apps", "statefulsets/scale"): {"patch"},
    ("events.k8s.io", "events"): {"create", "patch"},
}
READS = {"get", "list", "watch"}


def documents(path):
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def named(objects, kind):
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def program(*arguments):
    return subprocess.run([BIN / "mpc-autoscaler", *arguments], capture_output=True, text=True, timeout=60, check=False)


def check_rules(path, role):
    for rule in role["rules"]:
        what = f"{path.name}: {role['metadata']['name']}: {rule}"
        check("*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"], "no rule is about everything", what)
        check("secrets" not in rule["resources"], "no rule reads secrets", what)


def check_writes(role):
    writes = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                if changed := set(rule["verbs"]) - READS:
                    writes[group, resource] = changed
    check(writes == CLUSTER_WRITES, "the controller changes scale, its status and events, and nothing else", writes)


def check_binding(path, binding, objects):
    role = binding["roleRef"]
    check(role["name"] in named(objects, role["kind"]), f"{path.name}: the bound role is in the file", role)
    kind = "ClusterRole" if binding["kind"] == "ClusterRoleBinding" else "Role"
    check(role["kind"] == kind, f"{path.name}: a {binding['kind']} binds a {kind}", role)


def check_pods(path, workload):
    """Of a Deployment or a Job."""
    spec = workload["spec"]
    labels = spec["template"]["metadata"]["labels"]
    if workload["kind"] == "Deployment":
        check(spec["selector"]["matchLabels"].items() <= labels.items(), f"{path.name}: the selector finds its pods", labels)
    pod = spec["template"]["spec"]
    security = pod["securityContext"]
    check(security["runAsNonRoot"] is True and security["seccompProfile"]["type"] == "RuntimeDefault",
          f"{path.name}: no root, seccomp", security)
    for container in pod["containers"]:
        context = container["securityContext"]
        check(context == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                          "capabilities": {"drop": ["ALL"]}}, f"{path.name}: a container without rights", context)
        check({"cpu", "memory"} <= container["resources"]["requests"].keys(), f"{path.name}: requests", container)
        check(container["image"] == "mpc-autoscaler:local" and container["imagePullPolicy"] == "IfNotPresent",
              f"{path.name}: the image of scripts/image", container)
        # There is no shell in it, nor anything else.
        check(container.get("command", ["mpc-autoscaler"])[0] in ("mpc-autoscaler", "toy-load", "loadgen"),
              f"{path.name}: a program of the image", container)


def check_study():
    """Both Jobs, played here with the traces of data/: what a pod is started with is what the manifest says."""
    paths = [DEPLOY / "study" / name for name in ("backtest-job.yaml", "merge-job.yaml")]
    backtest, merge = (documents(path)[0]["spec"] for path in paths)
    count = backtest["completions"]
    args, merge_args = (each["template"]["spec"]["containers"][0]["args"] for each in (backtest, merge))
    check(f"--shard=$(JOB_COMPLETION_INDEX)/{count}" in args, "as many shards as pods", args)
    parts = [arg for arg in merge_args if arg.startswith("--part=")]
    out = next(arg for arg in args if arg.startswith("--out=")).removeprefix("--out=")
    check(parts == [f"--part={out.replace('$(JOB_COMPLETION_INDEX)', str(i))}" for i in range(count)], "each pod's part is merged", parts)
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "traces").mkdir()
        shutil.copy(ROOT / "data/traces/baseline_spike_profile_dt15.csv", pathlib.Path(folder) / "traces")

        def pod(args, index=""):
            done = program(*(arg.replace("/study", folder).replace("$(JOB_COMPLETION_INDEX)", str(index)) for arg in args))
            check(done.returncode == 0, f"a pod ends well: {' '.join(args)}", done.stdout + done.stderr)

        for index in range(count):
            pod(args, index)
        pod(merge_args)
        check((pathlib.Path(folder) / "out/report.html").exists() and (pathlib.Path(folder) / "out.json").exists(), "a report of all parts")


def check_controller(objects):
    """Of `kubectl apply -f deploy/`."""
    run = named(objects, "Deployment")["mpc-autoscaler"]
    container = run["spec"]["template"]["spec"]["containers"][0]
    args = container["args"]
    check(args[0] == "run" and not any(arg.startswith("--apply") for arg in args), "nothing is written unless somebody takes the # away", args)
    account = run["spec"]["template"]["spec"]["serviceAccountName"]
    check(account in named(objects, "ServiceAccount"), "its account is there", account)
    check_writes(named(objects, "ClusterRole")["mpc-autoscaler"])
    budget = named(objects, "PodDisruptionBudget")["mpc-autoscaler"]
    check(budget["spec"]["selector"] == run["spec"]["selector"], "the budget is that of its pods")
    probes = {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")}
    check(probes == {"/healthz", "/readyz"}, "its probes", probes)


def check_keda():
    """The Service finds the controller's pods each by itself, and the example asks it about the example."""
    service = documents(DEPLOY / "optional/keda.yaml")[0]
    pods = named(documents(DEPLOY / "run.yaml"), "Deployment")["mpc-autoscaler"]["spec"]["selector"]["matchLabels"]
    check(service["spec"]["selector"] == pods and service["spec"]["clusterIP"] == "None", "KEDA finds each pod", service)
    web = named(documents(DEPLOY / "examples/web.yaml"), "PredictiveAutoscaler")["web"]["spec"]
    scaled = documents(DEPLOY / "examples/keda-web.yaml")[0]["spec"]
    asked = scaled["triggers"][0]
    meta, port = service["metadata"], service["spec"]["ports"][0]["port"]
    check(asked["metadata"] == {"scalerAddress": f"{meta['name']}.{meta['namespace']}:{port}", "autoscaler": "web"}
          and asked["metricType"] == "AverageValue", "it asks that Service about web", asked)
    check([scaled["minReplicaCount"], scaled["maxReplicaCount"]] == [web["minReplicas"], web["maxReplicas"]],
          "its bounds are those of the object", scaled)
    check({"scaleUp", "scaleDown"} == scaled["advanced"]["horizontalPodAutoscalerConfig"]["behavior"].keys() and
          scaled["fallback"]["replicas"] >= web["minReplicas"], "it has a behavior and a fallback", scaled)


def check_experiments():
    """The account that runs experiments is bound to its role, and the one that sends load to nothing."""
    objects = documents(DEPLOY / "optional/experiments.yaml")
    load = named(objects, "ServiceAccount")["mpc-experiment-load"]
    check(load["automountServiceAccountToken"] is False, "the load's account has no token", load)
    bound = [subject["name"] for each in objects if each["kind"] == "RoleBinding" for subject in each["subjects"]]
    check(bound == ["mpc-experiments"], "and no rights", bound)
    page = program("experiment", "mpc", "--help").stdout
    check("default mpc-experiment-load)" in " ".join(page.split()) and "default mpc-autoscaler:local)" in " ".join(page.split()),
          "the command's defaults are the manifest's account and the image of scripts/image", page)


def check_order(paths):
    """kubectl takes files by name: a namespace has to be there before what is in it."""
    seen = set()
    for path in paths:
        for each in documents(path):
            space = each["metadata"].get("namespace")
            check(space is None or space in seen, f"{path.name}: {each['kind']} comes after its namespace", space)
            if each["kind"] == "Namespace":
                seen.add(each["metadata"]["name"])
    check(seen == {NAMESPACE}, "one namespace", seen)


def type_of(schema):
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    return {"array": "list", "object": "by name" if "additionalProperties" in schema else "object"}.get(
        schema.get("type"), schema.get("type", "quantity"))


def rows(schema, path=""):
    """Of the reference page; what autoscaling/v2 documents is left to it."""
    for name, each in schema.get("properties", {}).items():
        inner = each.get("items", each)
        own = f"{path}{name}{'[]' if 'items' in each else ''}"
        text = each["description"].split(" Default: ")[0].replace("|", "\\|")
        default = each.get("default", "")
        if not default and " Default: " in each["description"]:
            default = each["description"].split(" Default: ")[1].removesuffix(".")
        must = " (required)" if name in schema.get("required", []) else ""
        yield f"| `{own}`{must} | {type_of(each)} | {default} | {text} |"
        if own not in ("metrics[]", "behavior"):
            yield from rows(inner, own + ".")


def check_reference(crd):
    page = (ROOT / "docs/reference/predictive-autoscaler.md").read_text(encoding="utf-8").splitlines()
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    wanted = list(rows(schema["spec"])) + list(rows(schema["status"], "status."))
    written = [line for line in page if line.startswith("| `")]
    check(written == wanted, "docs/reference/predictive-autoscaler.md has the schema's rows; they are\n" +
          "\n".join(wanted) if written != wanted else "")


def check_command():
    crd = program("crd")
    check(crd.returncode == 0 and crd.stdout == (DEPLOY / "crd.yaml").read_text(encoding="utf-8"),
          "`mpc-autoscaler crd` is deploy/crd.yaml", crd.stderr)
    good = program("crd", "--check", str(DEPLOY / "examples/web.yaml"))
    check(good.returncode == 0 and "Deployment web, 2 to 12 replicas, mode Recommend, policy predictive" in good.stdout,
          "the example is understood", good.stdout + good.stderr)
    bad = program("crd", "--check", str(DEPLOY / "rbac.yaml"), "--check", str(ROOT / "tests/data/autoscaler/bad.yaml"))
    check(bad.returncode == 2 and "rbac.yaml: holds no PredictiveAutoscaler" in bad.stderr and
          "spec.maxReplicas is 2; must be >= minReplicas, which is 3" in bad.stderr, "what is wrong is said", bad.stderr)


def main():
    applied = sorted(DEPLOY.glob("*.yaml"))
    all_paths = applied + [path for name in ("optional", "examples", "study") for path in sorted((DEPLOY / name).glob("*.yaml"))]
    check(len(all_paths) >= 8, "manifests are there", all_paths)
    for path in all_paths:
        objects = documents(path)
        for each in objects:
            check({"apiVersion", "kind", "metadata"} <= each.keys() and {"name", "generateName"} & each["metadata"].keys(), f"{path.name}: an object")
            if each["kind"] in ("Role", "ClusterRole"):
                check_rules(path, each)
            if each["kind"].endswith("RoleBinding"):
                check_binding(path, each, objects)
            if each["kind"] in ("Deployment", "Job"):
                check_pods(path, each)
    check_controller([each for path in applied for each in documents(path)])
    check_order(applied)
    check_keda()
    check_experiments()
    check_study()
    check_reference(documents(DEPLOY / "crd.yaml")[0])
    check_command()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
