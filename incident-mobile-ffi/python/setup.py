"""The wheel holds a native library: it fits one platform and every Python 3."""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

LIBRARIES = ("libincident_mobile_ffi.so", "libincident_mobile_ffi.dylib", "incident_mobile_ffi.dll")
PLACE = Path("src/incident_sync/_generated")
RUST = Path("rust")
"""What the library is built from, in the source distribution alone."""


class NativeDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


class WithLibrary(build_py):
    def run(self) -> None:
        if not any((PLACE / library).exists() for library in LIBRARIES):
            build_library()
        super().run()


class AnyPython3(bdist_wheel):
    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", super().get_tag()[2])


def build_library() -> None:
    if not RUST.is_dir():
        raise SystemExit("the native library is missing: run ./make-wheel, which builds it")
    target = RUST.absolute() / "target"
    variables = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    subprocess.run([RUST / "incident-mobile-ffi/build-phone"], check=True, env=variables)
    for library in LIBRARIES:
        if (built := target / "phone-build/phone" / library).exists():
            shutil.copy(built, PLACE)


setup(distclass=NativeDistribution, cmdclass={"bdist_wheel": AnyPython3, "build_py": WithLibrary})
