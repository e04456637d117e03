"""Messages of the sync protocol: understood or refused, and the schema is pinned."""

import json
from contextlib import suppress
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.values.errors import InvalidInput, TooLarge
from hubify.values.values import Int64
from hubify.wire import sync_messages
from hubify.wire.calls import parse_arguments
from hubify.wire.limits import MAX_CUT_BYTES, MAX_JSON_BYTES, MAX_MESSAGE_BYTES
from hubify.wire.sync_messages import (
    Add,
    Authenticate,
    Connect,
    Event,
    ModifyQuerySet,
    Mutation,
    ProtocolViolation,
    Remove,
    decode_client_message,
)

SESSION = "b5ea5505-1d2c-4f7a-9c37-0a1b2c3d4e5f"

# Changing the schema means a new SCHEMA_VERSION with a line on what changed, and a new digest here.
SCHEMA_DIGESTS = {1: "97984a99f7ffb9ab0cd538dcf0c5e168dde4db31b2247f5e8a6f3cd62f10adc6"}


def test_the_schema_changes_only_with_its_version() -> None:
    digest = sha256(sync_messages.schema()).hexdigest()
    assert digest == SCHEMA_DIGESTS[sync_messages.SCHEMA_VERSION]


def test_what_official_clients_send_is_understood() -> None:
    connect = decode_client_message(
        f'{{"connectionCount":0,"lastCloseReason":"InitialConnect","clientTs":1795338767876,'
        f'"type":"Connect","sessionId":"{SESSION}"}}'
    )
    assert isinstance(connect, Connect)
    assert connect.session_id == SESSION
    assert connect.max_observed_timestamp is None

    modify = decode_client_message(
        '{"modifications":[{"args":[{"n":{"$integer":"BwAAAAAAAAA="}}],"type":"Add","queryId":0,'
        '"udfPath":"skills:getByName","journal":null},{"type":"Remove","queryId":4}],'
        '"type":"ModifyQuerySet","baseVersion":0,"newVersion":1}'
    )
    assert isinstance(modify, ModifyQuerySet)
    added, removed = modify.modifications
    assert isinstance(added, Add)
    assert isinstance(removed, Remove)
    assert parse_arguments(added.args) == {"n": Int64(7)}

    mutation = decode_client_message(
        '{"type":"Mutation","requestId":0,"udfPath":"learning:report","args":[{"x":1}]}'
    )
    assert mutation == Mutation(
        request_id=0, udf_path="learning:report", args=msgspec.Raw(b'[{"x":1}]')
    )


def test_no_credential_may_come_without_a_value() -> None:
    message = decode_client_message('{"type":"Authenticate","baseVersion":0,"tokenType":"None"}')
    assert message == Authenticate(base_version=0, token_type="None")


@pytest.mark.parametrize("field", ["impersonating", "actingAs", "acting_as"])
def test_an_admin_who_acts_as_a_user_is_noticed(field: str) -> None:
    message = decode_client_message(
        json.dumps(
            {"type": "Authenticate", "baseVersion": 0, "tokenType": "Admin", "value": "k"}
            | {field: {"subject": "s"}}
        )
    )
    assert isinstance(message, Authenticate)
    assert message.acts_as_another


def test_fields_that_we_do_not_know_are_ignored() -> None:
    message = decode_client_message(
        '{"type":"Event","eventType":"ClientConnect","event":{"a":[1]}}'
    )
    assert message == Event()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"type":"Unknown"}',
        '{"type":"Connect"}',
        '{"type":"Connect","sessionId":"not a uuid"}',
        f'{{"type":"Connect","sessionId":"{SESSION}\\n"}}',
        '{"type":"Mutation","requestId":-1,"udfPath":"a:b","args":[]}',
        '{"type":"Mutation","requestId":4294967296,"udfPath":"a:b","args":[]}',
        '{"type":"Mutation","requestId":1.5,"udfPath":"a:b","args":[]}',
        '{"type":"Authenticate","baseVersion":0,"tokenType":"Other","value":"x"}',
        '{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{"type":"X"}]}',
        '{"type":"Event","a":NaN}',
        '{"type":"Event","a":' + "[" * 5_000_000,
        '{"type":"Mutation","requestId":0,"udfPath":"\\ud800:b","args":[]}',
        '{"type":"Event","a":"' + "x" * MAX_MESSAGE_BYTES + '"}',
    ],
)
def test_what_no_working_client_sends_is_a_violation(text: str) -> None:
    with pytest.raises(ProtocolViolation):
        decode_client_message(text)


@pytest.mark.parametrize(
    ("args", "kind", "message"),
    [
        ('[{"a":"' + "x" * MAX_JSON_BYTES + '"}]', TooLarge, "args is over 16779216 bytes"),
        ('[{"a":[' + "[]," * 300_000 + "0]}]", TooLarge, "args holds over 250000 values"),
        ('[{"a":' + "[" * 100 + "]" * 100 + "}]", TooLarge, "nested deeper than 64 levels"),
        ('[{"a":"\\ud83d"}]', InvalidInput, "args holds a lone surrogate"),
        ('[{"a":"\\ude00 \\ud83d\\ude00"}]', InvalidInput, "args holds a lone surrogate"),
    ],
    ids=["long", "many", "deep", "half a pair", "other half"],
)
def test_what_is_wrong_with_arguments_is_the_calls_error(
    args: str, kind: type[Exception], message: str
) -> None:
    text = f'{{"type":"Mutation","requestId":7,"udfPath":"a:b","args":{args}}}'
    mutation = decode_client_message(text)
    assert isinstance(mutation, Mutation)
    assert mutation.request_id == 7
    with pytest.raises(kind, match=message):
        parse_arguments(mutation.args)


def test_too_many_modifications_in_one_message_are_a_violation() -> None:
    removes = [{"type": "Remove", "queryId": n} for n in range(2001)]
    message = {"type": "ModifyQuerySet", "baseVersion": 0, "newVersion": 1}
    with pytest.raises(ProtocolViolation, match="2000"):
        decode_client_message(json.dumps(message | {"modifications": removes}))


@given(st.binary(max_size=80))
def test_any_bytes_decode_or_are_a_violation(text: bytes) -> None:
    with suppress(ProtocolViolation):
        decode_client_message(text)


def test_a_client_message_that_we_write_reads_back_the_same() -> None:
    message = ModifyQuerySet(
        base_version=0,
        new_version=1,
        modifications=[
            Add(query_id=1, udf_path="a:b", args=msgspec.Raw(b'[{"x":1}]')),
            Remove(query_id=0),
        ],
    )
    assert decode_client_message(msgspec.json.encode(message)) == message


@pytest.mark.parametrize("levels", [2_000, 20_000])
def test_deep_arguments_are_left_to_their_call_to_refuse(levels: int) -> None:
    deep = "[" * levels + "]" * levels
    text = f'{{"args":[{{"x":{deep}}}],"requestId":7,"type":"Mutation","udfPath":"a:b"}}'
    mutation = decode_client_message(text)
    assert isinstance(mutation, Mutation)
    assert (mutation.request_id, mutation.udf_path) == (7, "a:b")
    with pytest.raises(TooLarge, match="nested deeper than 64 levels"):
        parse_arguments(mutation.args)


@pytest.mark.parametrize("levels", [20_000, 200_000])
def test_a_message_without_end_or_too_long_to_look_through_is_too_large(levels: int) -> None:
    text = '{"type":"Mutation","requestId":7,"udfPath":"a:b","args":' + "[" * levels
    for ending in ("", "]" * levels + "}"):
        if levels + len(ending) > MAX_CUT_BYTES or not ending:
            with pytest.raises(ProtocolViolation):
                decode_client_message(text + ending)
