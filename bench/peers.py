"""Separate environments for a bench's peers, so that they cannot affect echoic's dependencies."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_with_peers(name: str, packages: list[str]) -> None:
    """Re-run the calling script, without `--peers`, in an environment with these packages.

    The environment is in `.cache/peers/NAME`, is created once for a list of packages, and also
    sees all packages installed here. A package that cannot be installed is skipped, becomes a
    missing row, and is tried again the next time. Does not return.

    Args:
        name: Of the environment.
        packages: Requirements as pip takes them.
    """
    place = ROOT / ".cache" / "peers" / name
    python = place / "bin" / "python"
    made, wanted = place / "made", "\n".join(packages)
    if not made.is_file() or made.read_text(encoding="utf-8") != wanted:
        print(f"making {place.relative_to(ROOT)} with {', '.join(packages)}", file=sys.stderr)
        venv.create(place, with_pip=True, clear=True)
        libraries = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        Path(libraries, "echoic.pth").write_text(sysconfig.get_path("purelib") + "\n")
        failed = False
        for package in packages:
            install = [python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt"]
            if subprocess.run([*install, package], check=False).returncode:
                print(f"{package} cannot be installed; its row will be missing", file=sys.stderr)
                failed = True
        if not failed:
            made.write_text(wanted, encoding="utf-8")
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    os.execv(python, [str(python), *(word for word in sys.argv if word != "--peers")])
