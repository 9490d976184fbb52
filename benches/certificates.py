"""Certificates for the wss scenarios, from the script that makes those of the tests."""
import functools
import subprocess

import harness


@functools.cache
def paths():
    """The server's pair, certificate and key, and the authority that clients trust."""
    folder = harness.HOME / "certs"
    subprocess.run(["bash", str(harness.ROOT / "scripts" / "certs.sh"), str(folder)], check=True)
    return (folder / "good.pem", folder / "good.key"), folder / "ca.pem"
