"""What OpenSSL says this machine can do, by its own `openssl speed`."""

import subprocess

SECONDS = "2"


def _speed(*words):
    done = subprocess.run(
        ["openssl", "speed", "-mr", "-seconds", SECONDS, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    # The last "+F" is the sum over all processes.
    return [l for l in done.stdout.splitlines() if l.startswith("+F")][-1].split(":")


def rsa_signatures(cores):
    """RSA signatures of 2048 bits a second, on so many cores."""
    return float(_speed("-multi", str(cores), "rsa2048")[3])


def bulk_bytes():
    """Bytes a second that one core encrypts with the cipher TLS 1.3 likes best, in its records."""
    return float(_speed("-evp", "aes-256-gcm", "-bytes", "16384")[3])
