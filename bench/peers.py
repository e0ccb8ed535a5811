"""Peers of a bench in an environment of their own, so that they never meet what echoic needs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_with_peers(name: str, packages: list[str]) -> None:
    """Run the calling script once more, without `--peers`, where these packages can be imported.

    The environment lies in `.cache/peers/NAME`, is made once for these packages, and sees all that
    is installed here. What cannot be installed is left out, will be a missing row, and is tried
    again the next time. Does not return.

    Args:
        name: Of the environment.
        packages: As pip takes them.
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
