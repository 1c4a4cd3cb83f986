"""A certificate authority of the test's own, and certificates of every kind of wrong."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_key(path, key):
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


class Authority:
    """Certificates are valid from yesterday on unless it is said otherwise."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / "ca.pem"
        self.certificate = self._sign("hubmail test CA", self.key, None, is_ca=True)
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name, key, host, is_ca=False, days=30, signer=None):
        now = datetime.datetime.utcnow()
        issuer = _name(name) if is_ca or signer is key else _name("hubmail test CA")
        end = now + days * DAY
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(now, end) - DAY)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if host is not None:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(signer or self.key, hashes.SHA256())

    def issue(self, host, days=30, self_signed=False):
        """(certificate file, key file) for a host name; negative days: expired."""
        stem = f"{host}-{days}-{'self' if self_signed else 'ca'}"
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(host, key, host, days=days, signer=key if self_signed else None)
        paths = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(paths[1], key)
        return paths
