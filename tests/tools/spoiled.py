"""A copy of what is committed, for faults to be put into, and a directory in which little of it is compiled again."""

import json
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN_CRATES = ("incident-core", "incident-server", "incident-mobile-ffi", "incident-mobile-testing", "incident-tests")


def said(*command, cwd=ROOT):
    """What a command writes to its output; one that fails ends the run."""
    return subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.PIPE, text=True).stdout.strip()


def so_far(part):
    """What this commit has done for a part of docs/proof.json."""
    return json.loads(said("tests/tools/proof", "so-far", part))


def add(part, **values):
    """Adds numbers, and puts anything else in its place."""
    said("tests/tools/proof", "add", part, *(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items()))


class Copy:
    """A repository of its own; files that are as before keep their age."""

    def __init__(self, name):
        self.folder, self.target = (ROOT / "target" / "spoiled" / name / part for part in ("copy", "target"))

    def renew(self):
        if not self.folder.exists():
            said("git", "init", "--quiet", self.folder)
        said("git", "fetch", "--quiet", "--depth=1", ROOT, "HEAD", cwd=self.folder)
        said("git", "reset", "--quiet", "--hard", "FETCH_HEAD", cwd=self.folder)
        for manifest in ("incident-mobile-ffi/Cargo.toml", "incident-mobile-ffi/testing/Cargo.toml"):
            # Nobody links an app against it.
            manifest = self.folder / manifest
            manifest.write_text(manifest.read_text().replace('["cdylib", "staticlib", "lib"]', '["lib"]'))
        quick = "".join(f"[profile.release.package.{crate}]\nopt-level = 0\ncodegen-units = 256\n" for crate in OWN_CRATES)
        # Beside the copy, for the project has one of its own.
        beside = self.folder.parent / ".cargo"
        beside.mkdir(exist_ok=True)
        (beside / "config.toml").write_text(f"[profile.release]\nincremental = true\n{quick}")
        if not self.target.exists():
            # The dependencies are those of the project itself, which may be compiled already.
            built = ROOT / "target" / "release"
            for part in filter(Path.exists, (built / "deps", built / "build", built / ".fingerprint")):
                shutil.copytree(part, self.target / "release" / part.name, copy_function=os.link, symlinks=True)

    def start(self, command, **more):
        """Starts a command there; its output is one text."""
        environment = dict(os.environ, CARGO_TARGET_DIR=str(self.target)) | more.pop("env", {})
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=self.folder, env=environment, **pipes, **more)
