"""The alerts and the dashboard: whether Prometheus takes them, and whether the server says what they ask for."""

import json
import re
import subprocess
import urllib.parse

import pytest
import yaml
from conftest import DEPLOY, PATIENCE, ROOT, free_port, get, post, report, until

RULES = DEPLOY / "prometheus"
DASHBOARD = json.loads((DEPLOY / "grafana" / "incident-server.json").read_text())
ALERTS = yaml.safe_load((RULES / "alerts.yml").read_text())["groups"][0]["rules"]


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=RULES, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def expressions() -> list[str]:
    """All that alerts and dashboard ask Prometheus, with Grafana's variables filled in."""
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    notes = [note["expr"] for note in DASHBOARD["annotations"]["list"]]
    filled = [text.replace("$__rate_interval", "1m").replace("$instance", ".*") for text in panels + notes]
    return filled + [alert["expr"] for alert in ALERTS]


def test_promtool_takes_the_configuration_and_the_rules():
    promtool("check", "config", "prometheus.yml")


def test_each_alert_fires_where_it_should_and_only_there():
    promtool("test", "rules", "alerts_test.yml")


def test_no_alert_is_without_a_test_that_it_fires():
    cases = yaml.safe_load((RULES / "alerts_test.yml").read_text())["tests"]
    checks = [check for case in cases for check in case["alert_rule_test"]]

    fired = {check["alertname"] for check in checks if check.get("exp_alerts")}

    assert fired == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_leads_to_its_paragraph(alert):
    page, anchor = alert["annotations"]["runbook"].split("#")

    paragraph = re.search(rf"^### {alert['alert']}\n\n(.+)", (ROOT / page).read_text(), re.MULTILINE)

    assert anchor == alert["alert"].lower() and paragraph


def used(server) -> None:
    """Some of everything has happened."""
    token = server.token()
    for payload in [report(), report(), report(cancellationReason="over"), report(locationId=""), {}]:
        post(f"{server.url}/api/incidents/sync", payload, token)
    post(f"{server.url}/api/incidents/sync/batch", {"incidents": [report(1), {}]}, token)
    get(f"{server.url}/api/incidents")


def test_every_metric_that_is_asked_for_is_there(server):
    used(server)
    text = get(f"{server.operations}/metrics")[1]
    said = set(re.findall(r"^(\w+)", text, re.MULTILINE))

    names = {name for text in expressions() for name in re.findall(r"\b(?:incident|process)_\w+", text)}

    assert len(names) > 15 and not names - said, names - said


def test_no_label_could_name_a_person_or_an_incident(server):
    used(server)
    text = get(f"{server.operations}/metrics")[1]

    labels = set(re.findall(r'[{,](\w+)="', text))

    assert labels == {"route", "status", "outcome", "problem", "pool", "version", "le"}
    assert "alice" not in text and "ward" not in text and not re.search(r"\w{8}-\w{4}-\w{4}-\w{4}", text)


def test_prometheus_scrapes_the_server_and_answers_every_question(server, tmp_path):
    used(server)
    config = yaml.safe_load((RULES / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{server.operations_port}"]}]
    config["rule_files"] = [str(RULES / "alerts.yml")]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    listen, log = f"127.0.0.1:{free_port()}", (tmp_path / "prometheus.log").open("wb")
    files = [f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb"]
    command = ["prometheus", *files, f"--web.listen-address={listen}"]
    prometheus = subprocess.Popen(command, stdout=log, stderr=log)

    def ask(expression: str) -> list:
        query = urllib.parse.urlencode({"query": expression})
        status, answer = get(f"http://{listen}/api/v1/query?{query}")
        assert status in (0, 200, 503), f"{expression}: {answer}"
        return json.loads(answer)["data"]["result"] if status == 200 else []

    try:
        until("the server is scraped", lambda: ask('up{job="incident-server"} == 1'))
        until("a rate can be told", lambda: ask("rate(incident_requests_total[1m])"))
        shown = [text for text in expressions() if text not in {alert["expr"] for alert in ALERTS}]
        silent = [text for text in shown if not ask(text)]
        # Only that the process restarted and that something failed has nothing to show here.
        assert all("changes(process_start" in text for text in silent), silent
        assert ask("ALERTS") == []
    finally:
        prometheus.terminate()
        prometheus.wait(timeout=PATIENCE)
