"""Known secrets leave a text; nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubify.evidence.redaction import MAX_TEXT, PATTERNS, Pattern, marks_in, redact
from tests.evidence.regex_bounds import MAXREPEAT, longest_repeat

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
HEX = "0123456789abcdef" * 8


def made_up(length: int, letters: str = LETTERS) -> str:
    """A value of the right shape that never was a secret."""
    return (letters * (length // len(letters) + 1))[:length]


# Shapes are put together here, so that no scanner mistakes this file for a leak.
SAMPLES = {
    "private-key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE" + made_up(64) + "\n-----END RSA "
    "PRIVATE KEY-----",
    "hubify-key": "hk_" + "live_" + made_up(32),
    "hubify-session": "hs_" + made_up(32),
    "jwt": "eyJ" + made_up(20) + ".eyJ" + made_up(30) + "." + made_up(43),
    "aws-access-key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "aws-secret-key": "aws_secret_access_key = " + made_up(40),
    "github-token": "ghp_" + made_up(36),
    "gitlab-token": "glpat-" + made_up(20),
    "anthropic-key": "sk-ant-" + made_up(90),
    "openrouter-key": "sk-or-v1-" + made_up(64),
    "openai-key": "sk-proj-" + made_up(48),
    "model-provider-key": "hf_" + made_up(34),
    "google-key": "AIza" + made_up(35),
    "slack-token": "xoxb-" + made_up(40),
    "webhook-url": "https://hooks.slack.com/services/" + "T000/B000/" + made_up(24),
    "discord-token": "M" + made_up(23) + "." + made_up(6) + "." + made_up(27),
    "telegram-token": "123456789:AA" + made_up(33),
    "stripe-key": "sk_" + "live_" + made_up(24),
    "twilio-key": "AC" + HEX[:32],
    "sendgrid-key": "SG." + made_up(22) + "." + made_up(43),
    "mail-key": "key-" + HEX[:32],
    "package-registry-token": "npm_" + made_up(36),
    "cloud-token": "dop_v1_" + HEX[:64],
    "azure-key": "AccountKey=" + made_up(86) + "==",
    "deploy-key": "prod:happy-otter-123|" + made_up(40),
    "url-password": "postgres://app:s3cretpw@db.internal/app",
    "url-parameter": "https://x.example/?access_token=" + made_up(30),
    "authorization": "Authorization: Basic " + made_up(20),
    "bearer-token": "sent bearer " + made_up(30),
    "cookie": '-H "Cookie: session=' + made_up(30) + '"',
    "command-password": "curl -s -u deploy:hunter22 https://x.example",
    "secret-value": "db_password = 'Tr0ub4dor&3'",
}


@pytest.mark.parametrize(("label", "sample"), SAMPLES.items())
def test_each_known_secret_is_replaced_by_its_label(label: str, sample: str) -> None:
    found = redact(f"it failed with {sample} again")
    assert found.labels == (label,)
    assert f"[redacted:{label}]" in found.text
    assert found.text.startswith("it failed with ")
    assert found.text.endswith(" again")


def test_every_pattern_has_its_own_sample() -> None:
    assert {pattern.label for pattern in PATTERNS} == set(SAMPLES)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgres://app:s3cretpw@db.internal/app", "postgres://app:[redacted:url-password]@db"),
        ("Authorization: Bearer " + made_up(30), "Authorization: Bearer [redacted:"),
        ("password='Tr0ub4dor&3', user='x'", "password=[redacted:secret-value], user='x'"),
    ],
)
def test_what_surrounds_a_secret_is_kept(text: str, kept: str) -> None:
    assert kept in redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "The password must be at least 12 characters.",
        "token: expired",
        "401 Unauthorized: invalid token",
        "Set API_KEY=$OPENAI_API_KEY first.",
        "api_key = os.environ['OPENAI_API_KEY']",
        "password: <your password>",
        "Use `--token=YOUR_TOKEN`; token = your-token-here",
        "max_tokens=4096 and tokens: 1200",
        "the secret is to sort first",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b failed",
        "https://example.com:8443/path?page=2&sort=name",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        "skill hs_report and hk_live_ prefix",
        "Bearer tokens are sent in the header.",
        "git@github.com:owner/repo.git",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text).text == text


def test_several_secrets_are_all_replaced() -> None:
    found = redact(f"{SAMPLES['github-token']} and {SAMPLES['aws-access-key']}")
    assert sorted(found.labels) == ["aws-access-key", "github-token"]


def test_a_private_key_without_its_end_is_taken_too() -> None:
    text = "-----BEGIN " + "PRIVATE KEY-----\n" + made_up(200)
    assert redact(text).text == "[redacted:private-key]"


@given(st.text(max_size=2_000))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text).text
    assert redact(once).text == once


@pytest.mark.parametrize("sample", SAMPLES.values())
def test_redacting_a_sample_twice_changes_nothing(sample: str) -> None:
    once = redact(sample).text
    assert redact(once).text == once


def test_a_text_beyond_the_bound_is_cut() -> None:
    assert len(redact("a " * MAX_TEXT).text) == MAX_TEXT


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.label)
def test_no_pattern_repeats_without_bound(pattern: Pattern) -> None:
    assert longest_repeat(pattern.pattern.pattern) < MAXREPEAT


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.label)
@given(data=st.data())
def test_what_a_pattern_matches_holds_one_of_its_marks(
    pattern: Pattern, data: st.DataObject
) -> None:
    matched = data.draw(st.from_regex(pattern.pattern))
    assert not marks_in(matched).isdisjoint(pattern.marks)


@pytest.mark.parametrize(
    "text",
    ["pa\u017fsword=Tr0ub4dor&3x", "author\u0130zation: Bearer abcd1234", "to\u212aen=aB3456789"],
)
def test_letters_that_only_look_unlike_do_not_hide_a_secret(text: str) -> None:
    assert "[redacted:" in redact(text).text


@pytest.mark.parametrize(
    "hostile",
    [
        "-----BEGIN PRIVATE KEY-----" * 2_000,
        "password=" * 7_000,
        "a" * MAX_TEXT,
        "eyJ" + "a" * MAX_TEXT,
        "eyJaaaaaaaa." * 5_000,
        "curl " * 13_000,
        "a://" * 16_000,
        "token" * 13_000,
        "Cookie:" * 9_000,
        "_" * MAX_TEXT,
    ],
    ids=lambda text: text[:20],
)
def test_hostile_text_is_read_in_good_time(hostile: str) -> None:
    assert redact(hostile) == redact(hostile)
