"""What in a V2G message is an identifier, by the name of its element; and the message with pseudonyms in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ...exi.declare import Binary, Element, Field, Integer, Text, Unsigned, fields
from . import certificates
from .pseudonyms import Pseudonyms

KINDS = {
    "station": ("EVCCID", "BSSID"),
    "session": ("SessionID",),
    "text": ("EVSEID", "EMAID", "eMAID", "ContractID", "MeterID", "ProviderID", "KeyName", "SSID", "IPAddress",
             "ServiceScope"),
    "name": ("X509IssuerName", "X509SubjectName", "RootCertificateID"),
    "number": ("X509SerialNumber",),
    "certificate": ("Certificate", "OEMProvisioningCert", "X509Certificate"),
    "bytes": ("ContractSignatureEncryptedPrivateKey", "DHParams", "DHPublicKey", "DHpublickey",
              "DiffieHellmanPublickey", "DigestValue", "GenChallenge", "ManufacturerSpecificDataContainer",
              "MeterSignature", "MgmtData", "PGPKeyID", "PGPKeyPacket", "SDManufacturerSpecificDataContainer",
              "SECP521_EncryptedPrivateKey", "SPKISexp", "SigMeterReading", "SignatureValue",
              "TPM_EncryptedPrivateKey", "VendorSpecificDataContainer", "X448_EncryptedPrivateKey", "X509CRL",
              "X509SKI", "Modulus", "Exponent", "P", "Q", "G", "Y", "J", "Seed", "PgenCounter"),
    "free": ("FaultMsg", "EVTerminationCode", "EVTerminationExplanation", "OverstayRuleDescription",
             "PriceScheduleDescription", "SalesTariffDescription", "TaxRuleName", "ServiceName", "finiteString",
             "stringValue", "Name"),
    "kept": ("Algorithm", "Currency", "Encoding", "Id", "Language", "MimeType", "PriceAlgorithm", "ProtocolNamespace",
             "Type", "URI", "XPath"),
}  # fmt: skip
"""Every element and attribute that is a text or binary, and serial numbers; a test asserts that none is missing."""
KIND = {name: kind for kind, names in KINDS.items() for name in names}


class Values:
    """Replaces identifiers in messages. `free` is what becomes of text that people wrote."""

    def __init__(self, pseudonyms: Pseudonyms, free: Callable[[str], str]) -> None:
        self._pseudonyms = pseudonyms
        self._free = free

    def __call__(self, message: Element) -> Element:
        """The message with pseudonyms; the same object where there is nothing to hide."""
        return self._element(message, message.tag())

    def _element(self, value: Element, tag: str) -> Element:
        changed: dict[str, Any] = {}
        for field in _telling(type(value)):
            old = getattr(value, field.name)
            if old is None:
                continue
            if field.kind == "choices":
                new: Any = [(name, self._one(item, name)) for name, item in old]
            elif field.is_list:
                new = [self._one(item, field.name) for item in old]
            else:
                new = self._one(old, tag if field.kind == "content" else field.name)
            if new != old:
                changed[field.name] = new
        if not changed:
            return value
        return type(value)(**{name: getattr(value, name) for name in type(value).__struct_fields__} | changed)

    def _one(self, value: Any, name: str) -> Any:
        if isinstance(value, Element):
            return self._element(value, name)
        kind = KIND.get(name)
        if kind is None or kind == "kept":
            return value
        return getattr(self, f"_{kind}")(value)

    def _station(self, value: bytes | str) -> bytes | str:
        names = self._pseudonyms
        return names.text(value) if isinstance(value, str) else names.station(value)

    def _session(self, value: bytes) -> bytes:
        return self._pseudonyms.raw(value, "session")

    def _text(self, value: bytes | str) -> bytes | str:
        if isinstance(value, str):
            return self._pseudonyms.text(value)
        if len(value) > 1 and all(32 <= octet < 127 for octet in value):  # text in a binary
            return self._pseudonyms.text(value.decode()).encode()
        return self._pseudonyms.raw(value) if len(value) > 1 else value

    def _name(self, value: str) -> str:
        return self._pseudonyms.name(value)

    def _number(self, value: int) -> int:
        return self._pseudonyms.number(value)

    def _certificate(self, value: bytes) -> bytes:
        return certificates.pseudonymous(value, self._pseudonyms)

    def _bytes(self, value: bytes | str) -> bytes | str | int:
        if isinstance(value, int):
            return value  # the exponent of a number has the name of a key's
        names = self._pseudonyms
        return names.text(value) if isinstance(value, str) else names.raw(value)


@cache
def _telling(cls: type[Element]) -> tuple[Field, ...]:
    """The fields of a type that can hold an identifier, themselves or below."""
    return tuple(field for field in fields(cls) if _can_tell(field))


def _can_tell(field: Field) -> bool:
    if field.kind in ("group", "choices"):
        return True
    return isinstance(field.type, (type, Text, Binary)) or (
        isinstance(field.type, (Integer, Unsigned)) and field.name in KIND
    )
