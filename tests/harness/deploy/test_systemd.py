"""The unit: what systemd thinks of it, and whether the server runs as it says."""

import re
import subprocess

from conftest import DEPLOY, SERVER, get

UNIT = DEPLOY / "systemd" / "incident-server.service"


def settings(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def judged(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_systemd_understands_every_line(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/incident-server", SERVER))

    judgement = judged("verify", str(unit))

    assert judgement.returncode == 0 and not judgement.stderr.strip(), judgement.stderr


def test_what_the_service_is_exposed_to_stays_below_2():
    # The threshold is in tenths.
    judgement = judged("security", "--offline=true", "--threshold=19", str(UNIT))

    assert judgement.returncode == 0, judgement.stdout[-200:]
    exposure = re.search(r"Overall exposure level.*?: ([\d.]+)", judgement.stdout)
    assert exposure and float(exposure[1]) < 2, judgement.stdout[-200:]


def test_the_server_runs_with_the_units_variables_and_ends_with_status_0(start_server, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for credential in settings("LoadCredential"):
        secret = credentials / credential.split(":")[0]
        secret.write_text("x" * 32)
        secret.chmod(0o400)
    variables = dict(line.split("=", 1) for line in settings("Environment"))
    places = {"%d": str(credentials), "%S": str(tmp_path)}
    for name, value in variables.items():
        variables[name] = re.sub("%[dS]", lambda found: places[found[0]], value)

    server = start_server(variables)

    assert get(f"{server.operations}/readyz")[0] == 200 and get(f"{server.url}/readyz")[0] == 404
    assert server.stop() == 0
    assert "WARN" not in server.log.read_text()
    assert (tmp_path / "incident-server" / "incidents.sqlite").exists()


def test_it_is_not_killed_before_the_server_has_ended_by_itself():
    [stop] = settings("TimeoutStopSec")

    assert int(stop.removesuffix("s")) > 35
