"""Checks the objects that kustomize has made of one overlay, and splits them by whose schemas they have. `check` beside it calls this.

usage: check.py PROJECT FOLDER, which holds all.yaml
"""

import json
import re
import sys
from pathlib import Path

import kubernetes_validate
import yaml

project, out = Path(sys.argv[1]), Path(sys.argv[2])
objects = [each for each in yaml.safe_load_all((out / "all.yaml").read_text()) if each]
problems = []


def name(each):
    return f"{each['kind']} {each['metadata']['name']}"


def of(*kinds):
    return [each for each in objects if each["kind"] in kinds]


def expect(holds, each, what):
    if not holds:
        problems.append(f"{name(each)}: {what}")


def matches(labels, pods):
    return labels.items() <= pods["metadata"]["labels"].items()


# --- Who has which schemas ---------------------------------------------------------------------------------------------

operators = [each for each in objects if each["apiVersion"].startswith("monitoring.coreos.com/")]
core = [each for each in objects if each not in operators]
# 1.30 is what docs/DEPLOY.md asks for; the newest is the newest that the package knows.
for version in [f"1.{minor}" for minor in range(30, 38)]:
    for each in core:
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(map(str, error.path))
            problems.append(f"{name(each)}: not valid for Kubernetes {version}: {path}: {error.message}")
(out / "operator.json").write_text(json.dumps(operators) if operators else "")
KNOWN = {
    "ServiceMonitor": {"selector", "jobLabel", "endpoints"},
    "PrometheusRule": {"groups"},
    "endpoint": {"port", "path", "interval", "scrapeTimeout", "scheme"},
}
for each in operators:
    expect(set(each["spec"]) <= KNOWN[each["kind"]], each, f"fields {sorted(each['spec'])}")
    for endpoint in each["spec"].get("endpoints", []):
        expect(set(endpoint) <= KNOWN["endpoint"], each, f"fields {sorted(endpoint)}")

# --- Names lead somewhere ----------------------------------------------------------------------------------------------

namespaces = {each["metadata"]["name"] for each in of("Namespace")}
expect(len(namespaces) == 1, objects[0], f"namespaces: {namespaces}")
names = [(each["kind"], each["metadata"]["name"]) for each in objects]
for each in objects:
    expect(names.count((each["kind"], each["metadata"]["name"])) == 1, each, "is there twice")
    if each["kind"] != "Namespace":
        expect({each["metadata"].get("namespace")} == namespaces, each, "is in another namespace")
        part = each["metadata"].get("labels", {}).get("app.kubernetes.io/part-of")
        expect(part, each, "does not say what it is a part of")

workloads = of("Deployment", "Job")
pods = [each["spec"]["template"] for each in workloads]
for each in of("Service", "PodDisruptionBudget", "NetworkPolicy"):
    spec = each["spec"]
    labels = spec.get("podSelector", spec.get("selector", {}))
    labels = labels.get("matchLabels", labels)
    expect(sum(matches(labels, pod) for pod in pods) == 1, each, f"{labels} are not the labels of one workload")
for each in of("ServiceMonitor"):
    labels = each["spec"]["selector"]["matchLabels"]
    found = [service for service in of("Service") if labels.items() <= service["metadata"]["labels"].items()]
    expect(found, each, f"{labels} are the labels of no Service")
    for endpoint in each["spec"]["endpoints"]:
        for service in found:
            expect(any(port["name"] == endpoint["port"] for port in service["spec"]["ports"]), each, f"port {endpoint['port']}")
            expect(each["spec"]["jobLabel"] in service["metadata"]["labels"], each, "jobLabel")


def ports(labels):
    return {
        port["name"]
        for pod in pods
        if matches(labels, pod)
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
    }


for each in of("Service"):
    for port in each["spec"]["ports"]:
        expect(port["targetPort"] in ports(each["spec"]["selector"]), each, f"port {port['targetPort']}")
for each in of("NetworkPolicy"):
    own = each["spec"]["podSelector"]["matchLabels"]
    expect("Ingress" in each["spec"]["policyTypes"] and "Egress" in each["spec"]["policyTypes"], each, "lets everything through")
    for rule in each["spec"].get("ingress", []):
        for peer in rule["from"]:
            # A label alone is anybody's: it counts in this namespace, or in one that is named.
            if "namespaceSelector" in peer:
                expect(peer["namespaceSelector"].get("matchLabels"), each, "any namespace is let in")
        for port in rule["ports"]:
            expect(port["port"] in ports(own), each, f"port {port['port']}")
    for rule in each["spec"].get("egress", []):
        for peer in rule["to"]:
            if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0":
                expect("169.254.0.0/16" in peer["ipBlock"].get("except", []), each, "the cloud's metadata service is let out to")
            if "podSelector" in peer and "namespaceSelector" not in peer:
                for port in rule["ports"]:
                    expect(port["port"] in ports(peer["podSelector"]["matchLabels"]), each, f"port {port['port']}")
for each in of("HorizontalPodAutoscaler"):
    target = each["spec"]["scaleTargetRef"]
    expect((target["kind"], target["name"]) in names, each, f"scales {target['name']}, which is not there")

# --- Pods: settings, secrets, rights, probes ---------------------------------------------------------------------------

# How the documents make them: `create secret generic NAME --from-file secrets/FILE …`, or a ConfigMap likewise.
documents = (project / "docs/DEPLOY.md").read_text() + (project / "docs/TOKENS.md").read_text()
documents += (project / "deploy/kubernetes/overlays/development/kustomization.yaml").read_text()
secrets = {}
for line in re.findall(r"create (?:secret generic|configmap) (.*)", documents):
    secrets.setdefault(line.split()[0], set()).update(re.findall(r"--from-file secrets/(\w+)", line))

for each in workloads:
    pod = each["spec"]["template"]["spec"]
    expect(("ServiceAccount", pod["serviceAccountName"]) in names, each, f"ServiceAccount {pod['serviceAccountName']}")
    expect(pod["automountServiceAccountToken"] is False, each, "has a token for the API of Kubernetes")
    context = pod["securityContext"]
    expect(context["runAsNonRoot"] is True and context["runAsUser"] > 0, each, "may be root")
    expect(context["seccompProfile"]["type"] == "RuntimeDefault", each, "seccomp")
    # The files of each volume: those of a secret, and tokens that Kubernetes makes for the service account.
    volumes = {}
    for volume in pod.get("volumes", []):
        files = volumes.setdefault(volume["name"], set())
        for source in volume["projected"]["sources"]:
            if "serviceAccountToken" in source:
                files.add(source["serviceAccountToken"]["path"])
                continue
            ((kind, made),) = source.items()
            files.update(secrets.get(made["name"], ()))
            expect(made["name"] in secrets, each, f"no document makes the {kind} {made['name']}")
    for container in pod["containers"]:
        context = container["securityContext"]
        expect(context["allowPrivilegeEscalation"] is False, each, "may become another user")
        expect(context["readOnlyRootFilesystem"] is True, each, "may write")
        expect(context["capabilities"]["drop"] == ["ALL"], each, "has capabilities")
        expect("memory" in container["resources"]["limits"], each, "has all of the memory")
        for source in container.get("envFrom", []):
            expect(("ConfigMap", source["configMapRef"]["name"]) in names, each, f"ConfigMap {source['configMapRef']['name']}")
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container.get("volumeMounts", [])}
        paths = [entry["value"] for entry in container.get("env", []) if entry["name"].endswith(("_FILE", "_CACERT"))]
        paths += [word for word in container.get("args", []) if word.startswith("/")]
        for path in paths:
            folder, _, file = path.rpartition("/")
            expect(file in mounts.get(folder, ()), each, f"{path} is in no secret that a document makes")
        if each["kind"] == "Deployment":
            here = {port["name"] for port in container["ports"]}
            for probe in ("readinessProbe", "livenessProbe"):
                action = container[probe].get("httpGet") or container[probe]["tcpSocket"]
                expect(action["port"] in here, each, f"{probe}: port {action['port']}")

# --- Alerts ------------------------------------------------------------------------------------------------------------


def anchors(path):
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


sources = "\n".join(path.read_text() for path in (project / "vendor/mcp-server-runtime/src").rglob("*.rs"))
rules = ""
for each in of("PrometheusRule"):
    rules = yaml.safe_dump(each["spec"])
    for group in each["spec"]["groups"]:
        for rule in group["rules"]:
            expect(rule["labels"]["severity"] in ("critical", "warning"), each, f"{rule['alert']}: severity")
            path, _, anchor = rule["annotations"]["runbook"].partition("#")
            there = (project / path).is_file()
            expect(there and (not anchor or anchor in anchors(project / path)), each, f"{rule['alert']}: {path}#{anchor}")
            for metric in re.findall(r"\b(?:mcp|process)_[a-z_]+\b", rule["expr"]):
                known = f'"{metric.removesuffix("_total")}"' in sources
                expect(known, each, f"{rule['alert']}: no server has {metric}")
(out / "rules.yaml").write_text(rules)

if problems:
    print(f"{out.name}:", *problems, sep="\n  ")
    sys.exit(1)
