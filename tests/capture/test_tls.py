"""TLS opened with known keys: against OpenSSL, against real captures, and with what no capture at hand has."""

from __future__ import annotations

import datetime
import hmac
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import reference
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes
from cryptography.x509.oid import NameOID
from making import SYN, T0, events_of, load, messages_of, numbered, pcapng, read, segment

from pyplc.capture.events import Event, Key, Message, Tls
from pyplc.capture.files import Packet, Secrets
from pyplc.capture.keylog import KeyLog
from pyplc.capture.keylog import load as load_keys
from pyplc.capture.reader import Reader
from pyplc.capture.tls_ciphers import SUITES, Aead12, Aead13, Cbc, _Generation, expand_label, openers12, prf
from pyplc.capture.tls_records import APPLICATION, Record
from pyplc.link.ethernet import udp_frame
from pyplc.v2gtp import pack

SETUP = pack(0x8001, bytes.fromhex("809a02000000000000000011d01b703a84459c2000"))
CAPTURES = {
    "dsv2gshark/ISO-2_DC_PnC_TLS_CertInstallation_DS5366_RiseV2G.pcapng": "CLIENT_RANDOM",
    "dsv2gshark/ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng": "CLIENT_RANDOM",
    "dsv2gshark/ISO-20_TLS13_DC_DS5366_Josev.pcapng": "CLIENT_TRAFFIC_SECRET_0",
}


# ------------------------------------------------------------------------------------------------ against OpenSSL


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SECC")])
    now = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=3650))
    file = tmp_path_factory.mktemp("pki") / "secc.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return file


def openssl_session(
    certificate: Path, log: Path, version: ssl.TLSVersion, ciphers: str | None, said: Sequence[bytes]
) -> list[Packet]:
    """Both ends in memory; what they write becomes segments."""
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    server.load_cert_chain(certificate)
    for context in (client, server):
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
    client.keylog_filename = str(log)
    into, out = ({"ev": ssl.MemoryBIO(), "evse": ssl.MemoryBIO()} for _ in range(2))
    ends = {"ev": client.wrap_bio(into["ev"], out["ev"]), "evse": server.wrap_bio(into["evse"], out["evse"], True)}
    items = [segment("ev", 0, flags=SYN, ack=0), segment("evse", 0, flags=SYN | 16)]
    at = {"ev": 1, "evse": 1}

    def flush(who: str) -> None:
        data, other = out[who].read(), "evse" if who == "ev" else "ev"
        into[other].write(data)
        if data:
            items.append(segment(who, at[who], data, ack=at[other], ms=len(items)))
            at[who] += len(data)

    for _ in range(4):
        for who, end in ends.items():
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            flush(who)
    for number, data in enumerate(said):
        who, other = ("ev", "evse") if number % 2 == 0 else ("evse", "ev")
        ends[who].write(data)
        flush(who)
        assert ends[other].read() == data
    return numbered(items)


OPENSSL = [
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-CCM"),
    (ssl.TLSVersion.TLSv1_3, None),
]


@pytest.mark.parametrize("version, ciphers", OPENSSL)
def test_what_openssl_wrote_is_read(
    certificate: Path, tmp_path: Path, version: ssl.TLSVersion, ciphers: str | None
) -> None:
    log = tmp_path / "keys.log"
    items = openssl_session(certificate, log, version, ciphers, [SETUP] * 6)
    found = messages_of(items, Reader(keys=load_keys(log)))
    assert [(m.name, m.encrypted, m.side) for m in found] == [("SessionSetupReq", True, "ev")] * 6
    assert not [e for e in events_of(items, Reader(keys=load_keys(log))) if isinstance(e, Tls) and e.warning]
    assert not messages_of(items)
    lossy = [item for item in items if item.number != found[2].frame]
    assert [m.frame for m in messages_of(lossy, Reader(keys=load_keys(log)))] == [
        m.frame for m in found if m.frame != found[2].frame
    ]


def test_without_the_handshake_tls13_is_read_and_tls12_is_not(certificate: Path, tmp_path: Path) -> None:
    """The suite and the number are found by trying; TLS 1.2 needs the server's random."""
    for version, wanted in ((ssl.TLSVersion.TLSv1_3, 6), (ssl.TLSVersion.TLSv1_2, 0)):
        log = tmp_path / f"{version.name}.log"
        items = openssl_session(certificate, log, version, None, [SETUP] * 6)
        first = messages_of(items, Reader(keys=load_keys(log)))[0].frame
        hello = [item for item in items[2:] if item.data[74:75] == b"\x16" and item.data[20 + 59 : 20 + 60] == b"\1"][
            :1
        ]
        assert len(messages_of([*items[:2], *hello, *items[first - 1 :]], Reader(keys=load_keys(log)))) == wanted


# ---------------------------------------------------------------------------------------------- where keys come from


def keys_of(name: str) -> list[Key]:
    return [event for event in events_of(load(reference.path(f"captures/{name}"))) if isinstance(event, Key)]


def without_keys(name: str) -> list[Packet]:
    frames = {key.frame for key in keys_of(name)}
    return [item for item in load(reference.path(f"captures/{name}")) if item.number not in frames]


@pytest.mark.parametrize("name", CAPTURES)
def test_from_a_file_a_block_and_a_packet(name: str, tmp_path: Path) -> None:
    wanted = [m.exi for m in messages_of(load(reference.path(f"captures/{name}")))]
    items, log = without_keys(name), tmp_path / "keys.log"
    log.write_text("# a remark\r\n\r\n" + KeyLog(keys_of(name)).text())
    assert len(wanted) > 100
    assert messages_of(items) == []
    assert [m.exi for m in messages_of(items, Reader(keys=load_keys(log)))] == wanted
    secrets = [item for item in read(pcapng(items, secrets=log.read_bytes())) if isinstance(item, (Packet, Secrets))]
    assert [m.exi for m in messages_of(secrets)] == wanted  # type: ignore[arg-type]
    for at in (0, len(items)):  # before everything, and when all is over
        told = [*items[:at], disclosed(log.read_bytes()), *items[at:]]
        assert [m.exi for m in messages_of(told)] == wanted, at


def disclosed(text: bytes, port: int = 53186) -> Packet:
    """A UDP packet with keys, two zero bytes in front."""
    macs = (b"\2\0\0\0\0\1", b"\x33\x33\0\0\0\1")
    frame = udp_frame(macs, ("fe80::1", "ff02::1"), (53185, port), b"\0\0" + text)
    return Packet(9000, T0, 1, frame, 0, len(frame))


def test_late_keys_keep_frames_times_and_order() -> None:
    name = next(iter(CAPTURES))
    whole = messages_of(load(reference.path(f"captures/{name}")))
    late = [*without_keys(name), disclosed(KeyLog(keys_of(name)).text().encode())]
    assert [(m.frame, m.time, m.source) for m in messages_of(late)] == [(m.frame, m.time, m.source) for m in whole]


def test_several_sessions_in_one_file_find_their_own_keys() -> None:
    """All three one after the other, the keys of all in one packet, in the wrong order."""
    items: list[Packet] = []
    keys: list[Key] = []
    wanted: list[bytes] = []
    for name in CAPTURES:
        wanted += [m.exi for m in messages_of(load(reference.path(f"captures/{name}")))]
        items += without_keys(name)
        keys = [*keys_of(name), *keys]
    told = [disclosed(KeyLog([key]).text().encode()) for key in keys]
    found = messages_of(numbered([*told, *items]))
    assert [m.exi for m in found] == wanted
    assert {m.session for m in found} == {1, 2, 3}


@pytest.mark.parametrize(
    "text",
    [
        "CLIENT_RANDOM {r} {s}",
        "\0\0\0CLIENT_RANDOM {r} {s}",
        "x\nCLIENT_RANDOM {r} {s}\nCLIENT_RANDOM {o} {s}",
        "CLIENT_RANDOM\t{r}  {s}\r\n",
    ],
)
def test_forms_of_a_key_packet(text: str) -> None:
    random, other, secret = "ab" * 32, "CD" * 32, "12" * 48
    found = [
        e for e in events_of([disclosed(text.format(r=random, o=other, s=secret).encode(), 4711)]) if isinstance(e, Key)
    ]
    assert found[0].client_random == bytes.fromhex(random)
    assert {key.secret for key in found} == {bytes.fromhex(secret)}
    assert found[0].line == f"CLIENT_RANDOM {random} {secret}"


def test_missing_keys_are_told() -> None:
    for name, label in CAPTURES.items():
        *_, last = [e for e in events_of(without_keys(name)) if isinstance(e, Tls)]
        assert (last.name, last.warning) == ("keys missing", True)
        assert next(k.client_random.hex() for k in keys_of(name) if k.label == label) in last.text
        whole = [e for e in events_of(load(reference.path(f"captures/{name}"))) if isinstance(e, Tls)]
        assert not [e for e in whole if e.warning]
        first = next(m.frame for m in messages_of(load(reference.path(f"captures/{name}"))))
        middle = [item for item in without_keys(name) if item.number > first]
        assert [e.text for e in events_of(middle) if isinstance(e, Tls) and "hello is not in the capture" in e.text]


def test_wrong_keys_are_told_and_nothing_is_invented() -> None:
    name = next(iter(CAPTURES))
    wrong = [
        Key(frame=0, time=0.0, label=k.label, client_random=k.client_random, secret=bytes(48)) for k in keys_of(name)
    ]
    events: list[Event] = events_of(without_keys(name), Reader(keys=wrong))
    assert not [event for event in events if isinstance(event, Message)]
    assert [event for event in events if isinstance(event, Tls) and event.warning]


# ------------------------------------------------------------------------------------------------- records by hand


def cbc(mac_key: bytes, key: bytes, number: int, plain: bytes, mac_last: bool) -> Record:
    """A record of TLS 1.2 as RFC 5246 (MAC, then encrypted) or RFC 7366 (the other way) say."""
    iv = bytes(range(16))

    def encrypted(data: bytes) -> bytes:
        pad = 15 - len(data) % 16
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        return iv + encryptor.update(data + bytes((pad,)) * (pad + 1)) + encryptor.finalize()

    def mac(data: bytes) -> bytes:
        head = number.to_bytes(8, "big") + b"\x17\3\3" + len(data).to_bytes(2, "big")
        return hmac.digest(mac_key, head + data, "sha256")

    body = encrypted(plain) if mac_last else encrypted(plain + mac(plain))
    fragment = body + mac(body) if mac_last else body
    return Record(APPLICATION, b"\x17\3\3" + len(fragment).to_bytes(2, "big"), fragment)


@pytest.mark.parametrize("mac_last", [False, True])
@pytest.mark.parametrize("agreed", [False, True])
def test_both_orders_of_the_mac(mac_last: bool, agreed: bool) -> None:
    """Also where the hello that agreed on the order is not in the capture, and over lost records."""
    opener = Cbc("sha256", b"m" * 32, b"k" * 16, agreed)
    for number in (0, 1, 5, 60):
        opened = opener.open(cbc(b"m" * 32, b"k" * 16, number, SETUP, mac_last))
        assert opened is not None
        assert (opened.data, opened.verified) == (SETUP, True)


def test_a_record_whose_mac_is_wrong_is_marked() -> None:
    opened = Cbc("sha256", b"n" * 32, b"k" * 16, False).open(cbc(b"m" * 32, b"k" * 16, 0, SETUP, False))
    assert opened is not None
    assert (opened.data, opened.verified) == (SETUP, False)


def test_keys_of_tls13_are_updated_even_where_the_update_was_lost() -> None:
    suite = SUITES[0x1302]
    opener = Aead13(suite, b"h" * 48, b"t" * 48)
    generation = _Generation(suite, b"t" * 48)

    def sealed(generation: _Generation, number: int, plain: bytes) -> Record:
        key = expand_label(suite.hash, generation.secret, "key", suite.key)
        iv = int.from_bytes(expand_label(suite.hash, generation.secret, "iv", 12), "big") ^ number
        head = b"\x17\3\3" + (len(plain) + 1 + 16).to_bytes(2, "big")
        return Record(APPLICATION, head, aead.AESGCM(key).encrypt(iv.to_bytes(12, "big"), plain + b"\x17", head))

    assert [opener.open(sealed(generation, n, SETUP)).data for n in (0, 1, 7)] == [SETUP] * 3  # type: ignore[union-attr]
    newer = generation.updated()
    assert [opener.open(sealed(newer, n, SETUP)).data for n in (0, 1, 40)] == [SETUP] * 3  # type: ignore[union-attr]
    assert opener.open(sealed(newer, 5000, SETUP)) is None


def test_chacha_of_tls12() -> None:
    opener = Aead12("chacha", b"k" * 32, b"i" * 12)
    for number in (0, 3):
        nonce = (int.from_bytes(b"i" * 12, "big") ^ number).to_bytes(12, "big")
        extra = number.to_bytes(8, "big") + b"\x17\3\3" + len(SETUP).to_bytes(2, "big")
        body = aead.ChaCha20Poly1305(b"k" * 32).encrypt(nonce, SETUP, extra)
        opened = opener.open(Record(APPLICATION, b"\x17\3\3" + len(body).to_bytes(2, "big"), body))
        assert opened is not None
        assert opened.data == SETUP


def test_every_suite_makes_openers() -> None:
    for number, suite in SUITES.items():
        if number >> 8 != 0x13:
            pair: Iterable[object] = openers12(suite, bytes(48), (bytes(32), bytes(32)), False)
            assert len(list(pair)) == 2


def test_the_pseudo_random_function() -> None:
    """Vector of the TLS working group for P_SHA256 (mail of 2009)."""
    secret, seed = bytes.fromhex("9bbe436ba940f017b17652849a71db35"), bytes.fromhex("a0ba9f936cda311827a6f796ffd5198c")
    assert prf("sha256", secret, b"test label", seed, 16).hex() == "e3f229ba727be17b8d122620557cd453"
