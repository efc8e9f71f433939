"""Random messages round-trip, random bytes give a value or the codec's error, and errors say where."""

from __future__ import annotations

from typing import Any

import pytest
import vectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyplc.exi import slow
from pyplc.exi.declare import Binary, Bits, Boolean, Element, Enumerated, Field, Integer, Simple, Text, Unsigned, fields
from pyplc.exi.errors import ExiError, ExiValueError
from pyplc.exi.gendecode import table_of
from pyplc.exi.jsontext import from_plain, to_plain
from pyplc.v2g import handshake, schemas
from pyplc.v2g.din import messages as din

NAMES = [name for name in schemas.SCHEMAS if name != "xmldsig"]
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def simple(kind: Simple) -> st.SearchStrategy[Any]:
    match kind:
        case Boolean():
            return st.booleans()
        case Enumerated():
            return st.sampled_from(list(kind.kind))
        case Bits() | Integer() | Unsigned():
            return st.integers(kind.low if kind.low is not None else -(1 << 70), kind.high)
        case Text():
            return st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
        case Binary():
            return st.binary(max_size=12)
    raise TypeError(kind)


def value(field: Field, kind: Any) -> st.SearchStrategy[Any]:
    return messages(kind) if isinstance(kind, type) else simple(kind)


@st.composite
def messages(draw: st.DrawFn, cls: type[Element]) -> Element:
    """Any valid message of a type, without signatures of rich content."""
    values: dict[str, Any] = {}
    chosen: dict[str, str] = {}
    for f in fields(cls):
        if f.choice:
            alternatives = [other.name for other in fields(cls) if other.choice == f.choice and other.kind != "any"]
            wanted = chosen.setdefault(f.choice, draw(st.sampled_from(alternatives)))
            if f.name == wanted:
                values[f.name] = draw(value(f, f.type))
        elif f.kind in ("any", "choices") or f.name == "Signature":
            continue
        elif f.is_list:
            high = min(f.high or f.low + 3, f.low + 3)
            values[f.name] = [draw(value(f, f.type)) for _ in range(draw(st.integers(f.low, high)))]
        elif f.low or draw(st.booleans()):
            kind = draw(st.sampled_from([m.type for m in f.members])) if f.members else f.type
            values[f.name] = draw(value(f, kind))
    return cls(**values)


@pytest.mark.parametrize("name", NAMES)
@RELAXED
@given(data=st.data())
def test_any_message_comes_back(name: str, data: st.DataObject) -> None:
    schema = schemas.schema(name)
    root = data.draw(st.sampled_from(list(schema.roots.values())))
    message = data.draw(messages(root.type))
    stream = schema.encode(message)
    assert stream == slow.encode_document(schema, message)
    assert schema.decode(stream) == message == slow.decode_document(schema, stream)


@pytest.mark.parametrize("name", NAMES)
@RELAXED
@given(data=st.data())
def test_any_bytes_give_a_value_or_the_error(name: str, data: st.DataObject) -> None:
    schema = schemas.schema(name)
    root = data.draw(st.sampled_from(list(schema.roots.values())))
    stream = bytearray(schema.encode(data.draw(messages(root.type))))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(stream) - 1))
        stream[place] = data.draw(st.integers(0, 255))
    for candidate in (bytes(stream[: data.draw(st.integers(0, len(stream)))]), bytes(stream)):
        try:
            message = schema.decode(candidate)
        except ExiError:
            with pytest.raises(ExiError):
                slow.decode_document(schema, candidate)
        else:
            assert slow.decode_document(schema, candidate) == message


@RELAXED
@given(st.binary(max_size=60))
def test_noise(noise: bytes) -> None:
    for name in NAMES:
        try:
            schemas.schema(name).decode(noise)
        except ExiError:
            pass


def test_an_error_says_the_bit() -> None:
    with pytest.raises(ExiError, match="bit 18: SessionID claims|the message ends") as caught:
        din.decode(bytes.fromhex("809a02"))
    assert caught.value.bit is not None


def test_unknown_numbers_are_kept_on_request() -> None:
    good = din.encode(din.SessionStopRes(ResponseCode=din.responseCode.FAILED_WrongEnergyTransferType), bytes(8))
    unknown = bytearray(good)
    at = int.from_bytes(good, "big").bit_length() - 1
    assert at > 0
    for place in range(len(good) * 8 - 24, len(good) * 8):
        flipped = bytearray(good)
        flipped[place // 8] |= 0x80 >> place % 8
        unknown = flipped
        try:
            din.decode(bytes(unknown))
        except ExiError as error:
            if "enumeration" in str(error):
                break
    message = din.SCHEMA.decode(bytes(unknown), lenient=True)
    assert isinstance(message, din.V2G_Message)
    code = message.Body.BodyElement.ResponseCode  # type: ignore[union-attr]
    assert type(code) is int
    with pytest.raises(ExiValueError, match="ResponseCode"):
        din.SCHEMA.encode(message)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (din.SessionSetupReq(EVCCID="abc"), "EVCCID"),  # type: ignore[arg-type]
        (din.SessionStopRes(ResponseCode=31), "ResponseCode"),  # type: ignore[arg-type]
        (din.ServiceDetailReq(ServiceID=-1), "ServiceID"),
        (din.ServiceDetailReq(ServiceID=1.5), "ServiceID"),  # type: ignore[arg-type]
        (din.PowerDeliveryRes(ResponseCode=din.responseCode.OK, EVSEStatus=None), "EVSEStatus|cannot stand here"),  # type: ignore[arg-type]
    ],
)
def test_wrong_values_are_named(message: din.BodyElement, said: str) -> None:
    with pytest.raises(ExiValueError, match=said):
        din.encode(message)


def test_too_many_items() -> None:
    offer = handshake.AppProtocol(
        ProtocolNamespace="urn:x", VersionNumberMajor=1, VersionNumberMinor=0, SchemaID=1, Priority=1
    )
    handshake.encode(handshake.SupportedAppProtocolReq(AppProtocol=[offer] * 20))
    for count in (0, 21):
        with pytest.raises(ExiValueError):
            handshake.encode(handshake.SupportedAppProtocolReq(AppProtocol=[offer] * count))


def test_tables_of_values_stay_bounded() -> None:
    get, _, _ = table_of(din.PhysicalValue, 1)
    status = din.DC_EVStatus(EVReady=True, EVErrorCode=din.DC_EVErrorCode.NO_ERROR, EVRESSSOC=1)
    for number in range(3000):
        value = din.PhysicalValue(Multiplier=0, Unit=din.unitSymbol.V, Value=number)
        stream = din.encode(din.PreChargeReq(DC_EVStatus=status, EVTargetVoltage=value, EVTargetCurrent=value))
        body = din.decode(stream).Body.BodyElement
        assert isinstance(body, din.PreChargeReq)
        assert body.EVTargetVoltage.Value == number
    assert len(get.__self__) <= 1024  # type: ignore[attr-defined]


def test_signed_headers_take_the_generated_way_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (line for line in vectors.lines("iso2") if line["variant"] == "signed" or "Signature>" in line["xml"])
    line = next(line for line in lines if line["kind"] == "document" and "KeyInfo" not in line["xml"])
    schema, stream = schemas.schema("iso2"), vectors.octets(line)
    message = schema.decode(stream)
    assert schema.encode(message) == stream

    def general(*_: object) -> None:
        raise AssertionError("the general codec was asked")

    monkeypatch.setattr(slow, "decode_document", general)
    monkeypatch.setattr(slow, "encode_document", general)
    assert schema.encode(schema.decode(stream)) == stream


@RELAXED
@given(st.data())
def test_noise_in_fragments(data: st.DataObject) -> None:
    line = data.draw(st.sampled_from([line for line in vectors.lines("xmldsig") + vectors.lines("signed_field")]))
    stream = bytearray(vectors.octets(line))
    for _ in range(data.draw(st.integers(1, 3))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        schemas.schema(line["schema"]).decode_fragment(bytes(stream))
    except ExiError:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@RELAXED
@given(st.data())
def test_odd_json_is_an_error_or_a_message(data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(vectors.lines("din")))
    if line["kind"] != "document":
        return
    schema = schemas.schema("din")
    plain = to_plain(schema.decode(vectors.octets(line)))
    place: Any = plain
    while isinstance(place, dict) and place and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(list(place)))
        if not isinstance(place[key], dict):
            place[key] = data.draw(JSON)
        place = place[key]
    try:
        schema.encode(from_plain(plain, din.V2G_Message, "V2G_Message"))
    except ExiError:
        pass
