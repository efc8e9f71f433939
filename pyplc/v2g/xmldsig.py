"""XML signatures (`http://www.w3.org/2000/09/xmldsig#`) as the V2G schemas embed them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from ..exi.codec import Fragment, Schema
from ..exi.declare import (
    Attribute,
    Binary,
    Choices,
    Content,
    Element,
    Integer,
    Member,
    Occurs,
    OneOf,
    Text,
    Together,
    Wildcard,
    Xsd,
)

DSIG = "http://www.w3.org/2000/09/xmldsig#"


class CanonicalizationMethod(Element):
    """How SignedInfo is made canonical."""

    XSD: ClassVar[Xsd] = Xsd(DSIG, mixed=True)

    Algorithm: Annotated[str, Text(), Attribute()]
    any_: Annotated[list[bytes], Wildcard()] = []


class SignatureMethod(Element):
    """How it is signed."""

    XSD: ClassVar[Xsd] = Xsd(DSIG, mixed=True)

    Algorithm: Annotated[str, Text(), Attribute()]
    HMACOutputLength: Annotated[int, Integer()] | None = None
    any_: Annotated[list[bytes], Wildcard()] = []


class Transform(Element):
    """One transform."""

    XSD: ClassVar[Xsd] = Xsd(DSIG, mixed=True)

    Algorithm: Annotated[str, Text(), Attribute()]
    content: Annotated[list[tuple[str, Any]], Choices((Member("XPath", Text(), DSIG),), low=0)] = []


class Transforms(Element):
    """What is done before the digest."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    Transform: Annotated[list[Transform], Occurs(1)]


class DigestMethod(Element):
    """How a digest is made."""

    XSD: ClassVar[Xsd] = Xsd(DSIG, mixed=True)

    Algorithm: Annotated[str, Text(), Attribute()]
    any_: Annotated[list[bytes], Wildcard()] = []


class Reference(Element):
    """One signed element: its id and digest."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    Id: Annotated[str, Text(), Attribute()] | None = None
    URI: Annotated[str, Text(), Attribute()] | None = None
    Type: Annotated[str, Text(), Attribute()] | None = None
    Transforms: Transforms | None = None
    DigestMethod: DigestMethod
    DigestValue: Annotated[bytes, Binary(base64=True)]


class SignedInfo(Element):
    """What the signature value covers."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    Id: Annotated[str, Text(), Attribute()] | None = None
    CanonicalizationMethod: CanonicalizationMethod
    SignatureMethod: SignatureMethod
    Reference: Annotated[list[Reference], Occurs(1)]


class SignatureValue(Element):
    """The signature value."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    Id: Annotated[str, Text(), Attribute()] | None = None
    value: Annotated[bytes, Binary(base64=True), Content()]


class DSAKeyValue(Element):
    """A DSA key; P and Q, Seed and PgenCounter stand together."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    P: Annotated[bytes, Binary(base64=True), Together("PQ")] | None = None
    Q: Annotated[bytes, Binary(base64=True), Together("PQ")] | None = None
    G: Annotated[bytes, Binary(base64=True)] | None = None
    Y: Annotated[bytes, Binary(base64=True)]
    J: Annotated[bytes, Binary(base64=True)] | None = None
    Seed: Annotated[bytes, Binary(base64=True), Together("Seed")] | None = None
    PgenCounter: Annotated[bytes, Binary(base64=True), Together("Seed")] | None = None


class RSAKeyValue(Element):
    """An RSA key."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    Modulus: Annotated[bytes, Binary(base64=True)]
    Exponent: Annotated[bytes, Binary(base64=True)]


class KeyValue(Element):
    """A key of one kind."""

    XSD: ClassVar[Xsd] = Xsd(DSIG, mixed=True)

    DSAKeyValue: Annotated[DSAKeyValue, OneOf("key")] | None = None
    RSAKeyValue: Annotated[RSAKeyValue, OneOf("key")] | None = None
    any_: Annotated[list[bytes], Wildcard(), OneOf("key")] = []


class RetrievalMethod(Element):
    """Where a key is to be had."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    URI: Annotated[str, Text(), Attribute()] | None = None
    Type: Annotated[str, Text(), Attribute()] | None = None
    Transforms: Transforms | None = None


class X509IssuerSerial(Element):
    """A certificate by issuer and number."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    X509IssuerName: Annotated[str, Text()]
    X509SerialNumber: Annotated[int, Integer()]


class X509Data(Element):
    """Certificates, in any order."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    content: Annotated[
        list[tuple[str, Any]],
        Choices(
            (
                Member("X509IssuerSerial", X509IssuerSerial, DSIG),
                Member("X509SKI", Binary(base64=True), DSIG),
                Member("X509SubjectName", Text(), DSIG),
                Member("X509Certificate", Binary(base64=True), DSIG),
                Member("X509CRL", Binary(base64=True), DSIG),
            )
        ),
    ]


class PGPData(Element):
    """A PGP key: its id, or its packet, or both."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)
    ALTERNATIVES: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("PGPKeyID", "PGPKeyPacket?", "any_"),
        ("PGPKeyPacket", "any_"),
    )

    PGPKeyID: Annotated[bytes, Binary(base64=True)] | None = None
    PGPKeyPacket: Annotated[bytes, Binary(base64=True)] | None = None
    any_: Annotated[list[bytes], Wildcard()] = []


class SPKIData(Element):
    """SPKI expressions."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    SPKISexp: Annotated[list[Annotated[bytes, Binary(base64=True)]], Occurs(1)]
    any_: Annotated[list[bytes], Wildcard()] = []


class KeyInfo(Element):
    """Whose key it is."""

    XSD: ClassVar[Xsd] = Xsd(DSIG, mixed=True)

    Id: Annotated[str, Text(), Attribute()] | None = None
    content: Annotated[
        list[tuple[str, Any]],
        Choices(
            (
                Member("KeyName", Text(), DSIG),
                Member("KeyValue", KeyValue, DSIG),
                Member("RetrievalMethod", RetrievalMethod, DSIG),
                Member("X509Data", X509Data, DSIG),
                Member("PGPData", PGPData, DSIG),
                Member("SPKIData", SPKIData, DSIG),
                Member("MgmtData", Text(), DSIG),
            )
        ),
    ]


class Object(Element):
    """Free content; refused by the codec."""

    XSD: ClassVar[Xsd] = Xsd(DSIG, mixed=True)

    Id: Annotated[str, Text(), Attribute()] | None = None
    MimeType: Annotated[str, Text(), Attribute()] | None = None
    Encoding: Annotated[str, Text(), Attribute()] | None = None
    any_: Annotated[list[bytes], Wildcard()] = []


class Signature(Element):
    """A signature."""

    XSD: ClassVar[Xsd] = Xsd(DSIG)

    Id: Annotated[str, Text(), Attribute()] | None = None
    SignedInfo: SignedInfo
    SignatureValue: SignatureValue
    KeyInfo: KeyInfo | None = None
    Object: Annotated[list[Object], Occurs(0)] = []


SCHEMA: Schema[Element] = Schema(
    "xmldsig",
    bits=5,
    roots={},
    names=45,
    fragments={"Signature": Fragment(27, Signature), "SignedInfo": Fragment(32, SignedInfo)},
)
"""The stand-alone schema: a signature value covers a fragment of SignedInfo made with this one."""
