"""What Kubernetes and Compose are told: whether it fits their schemas, and the server."""

import json
import subprocess
import sys

import yaml
from conftest import DEPLOY, known_variables

MANIFESTS = DEPLOY / "kubernetes" / "incident-server.yaml"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
# Answers within 32 s of SIGTERM, and its end within 35 s: the contract of the server with whoever stops it.
ENDS_WITHIN_SECONDS = 35


def manifests() -> dict[str, dict]:
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(MANIFESTS.read_text())}


def pod() -> dict:
    return manifests()["Deployment"]["spec"]["template"]["spec"]


def run(program: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [f"{sys.prefix}/bin/{program}", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_kubernetes_takes_the_manifests():
    for version in ["1.27", "1.37"]:
        checked = run("kubernetes-validate", "--strict", "-k", version, str(MANIFESTS))
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert checked.stderr.count("passed") + checked.stdout.count("passed") == len(manifests()), checked.stderr


def test_a_wrong_manifest_would_not_be_taken(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(MANIFESTS.read_text().replace("readOnlyRootFilesystem:", "readonlyRootFilesystem:"))

    assert run("kubernetes-validate", "--strict", str(wrong)).returncode != 0


def test_a_pod_is_not_killed_before_the_server_has_ended_by_itself():
    assert pod()["terminationGracePeriodSeconds"] > ENDS_WITHIN_SECONDS


def test_probes_and_services_lead_to_ports_that_are_there():
    [container] = pod()["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    variables = {variable["name"]: variable.get("value") for variable in container["env"]}

    probes = [container[probe]["httpGet"] for probe in ["startupProbe", "livenessProbe", "readinessProbe"]]
    [public] = manifests()["Service"]["spec"]["ports"]

    assert {probe["port"] for probe in probes} == {"operations"} and public["targetPort"] == "http"
    assert variables["INCIDENT_OPERATIONS_LISTEN"] == f"0.0.0.0:{ports['operations']}"
    assert "/readyz" not in container["livenessProbe"]["httpGet"]["path"]


def test_selectors_select_the_pods():
    labels = manifests()["Deployment"]["spec"]["template"]["metadata"]["labels"]

    assert manifests()["Service"]["spec"]["selector"] == labels
    assert manifests()["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert manifests()["Deployment"]["spec"]["selector"]["matchLabels"] == labels


def test_variables_of_services_are_not_taken_for_settings():
    assert pod()["enableServiceLinks"] is False


def test_the_compose_file_fits_its_specification():
    checked = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))

    assert checked.returncode == 0, checked.stdout


def test_compose_waits_for_the_servers_end():
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    graces = [services[name]["stop_grace_period"] for name in ["server-1", "server-2"]]

    assert all(int(grace.removesuffix("s")) > ENDS_WITHIN_SECONDS for grace in graces)


def test_what_is_set_is_known_to_the_server():
    in_kubernetes = {variable["name"] for variable in pod()["containers"][0]["env"]}
    in_compose = set(yaml.safe_load(COMPOSE.read_text())["services"]["server-1"]["environment"])

    ours = {name for name in in_kubernetes | in_compose if name.startswith("INCIDENT_")}

    assert len(ours) > 4 and not ours - known_variables()


def test_the_dashboard_has_no_two_panels_in_one_place():
    dashboard = json.loads((DEPLOY / "grafana" / "incident-server.json").read_text())
    places = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        tiles = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not places & tiles and at["x"] + at["w"] <= 24, panel["title"]
        places |= tiles
