"""Rules on secrets: keys of each kind, what stands for a key, and that no output shows one."""

from __future__ import annotations

import json
import random
import string
import time
from pathlib import Path

import pytest

import ftprep
from ftprep.__main__ import main
from ftprep.rules import find
from ftprep.rules.pii import Private
from ftprep.rules.sec import ApiKey, hidden
from ftprep.rules.secret_kinds import KINDS

_dice = random.Random(7)


def rnd(letters: str, count: int) -> str:
    """Letters at random, put together here so that no scanner takes this file for a leak."""
    return "".join(_dice.choice(letters) for _ in range(count))


AN, HEX, UP = string.ascii_letters + string.digits, "0123456789abcdef", string.ascii_uppercase + "234567"
MADE = {
    "OpenAI key": "sk-proj-" + rnd(AN, 48),
    "Anthropic key": "sk-ant-api03-" + rnd(AN, 93),
    "OpenRouter key": "sk-or-v1-" + rnd(HEX, 64),
    "key of an OpenAI-like service": "sk-" + rnd(AN, 48),
    "Google API key": "AIza" + rnd(AN, 35),
    "Google OAuth client secret": "GOCSPX-" + rnd(AN, 28),
    "AWS access key id": "AKIA" + rnd(UP, 16),
    "Azure storage key": "AccountKey=" + rnd(AN, 86) + "==",
    "GitHub token": "ghp_" + rnd(AN, 36),
    "GitHub fine-grained token": "github_pat_" + rnd(AN, 22) + "_" + rnd(AN, 59),
    "GitLab token": "glpat-" + rnd(AN, 20),
    "Slack token": "xoxb-" + rnd(string.digits, 12) + "-" + rnd(AN, 24),
    "Stripe key": "sk_live_" + rnd(AN, 24),
    "Hugging Face token": "hf_" + rnd(string.ascii_letters, 34),
    "npm token": "npm_" + rnd(AN, 36),
    "PyPI token": "pypi-AgEI" + rnd(AN, 90),
    "Docker Hub token": "dckr_pat_" + rnd(AN, 27),
    "SendGrid key": "SG." + rnd(AN, 22) + "." + rnd(AN, 43),
    "Twilio key": "SK" + rnd(HEX, 32),
    "Mailgun key": "key-" + rnd(HEX, 32),
    "Telegram bot token": "712345609:AA" + rnd(AN, 33),
    "Discord token": "MT" + rnd(AN, 24) + "." + rnd(AN, 6) + "." + rnd(AN, 38),
    "DigitalOcean token": "dop_v1_" + rnd(HEX, 64),
    "Databricks token": "dapi" + rnd(HEX, 32),
    "Fireworks key": "fw_" + rnd(AN, 24),
    "Together key": "tgp_v1_" + rnd(AN, 43),
    "Replicate token": "r8_" + rnd(AN, 37),
    "Groq key": "gsk_" + rnd(AN, 52),
    "Perplexity key": "pplx-" + rnd(AN, 48),
    "xAI key": "xai-" + rnd(AN, 80),
    "NVIDIA key": "nvapi-" + rnd(AN, 64),
    "Cerebras key": "csk-" + rnd(HEX, 48),
    "Notion token": "ntn_" + rnd(AN, 43),
    "Linear key": "lin_api_" + rnd(AN, 40),
    "Figma token": "figd_" + rnd(AN, 40),
    "Shopify token": "shpat_" + rnd(HEX, 32),
    "Postman key": "PMAK-" + rnd(HEX, 24) + "-" + rnd(HEX, 34),
    "RubyGems key": "rubygems_" + rnd(HEX, 48),
    "Sentry token": "sntryu_" + rnd(HEX, 64),
    "Supabase token": "sbp_" + rnd(HEX, 40),
    "JSON web token": "eyJ" + rnd(AN, 33) + ".eyJ" + rnd(AN, 60) + "." + rnd(AN, 43),
}
PRIVATE = (
    "-----BEGIN RSA PRIVATE " + "KEY-----\n" + rnd(AN, 64) + "\n" + rnd(AN, 64) + "\n-----END RSA PRIVATE " + "KEY-----"
)
URL_PASSWORD = rnd(AN, 14)


def test_every_kind_has_an_example_here() -> None:
    assert {name for name, _ in KINDS} == MADE.keys()
    assert len(KINDS) >= 25


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("around", ["{}", " key={} ", 'KEY="{}",\n', "Bearer {}.", "密钥是{}。"])
def test_a_key_is_found_and_named(kind: str, around: str) -> None:
    report = ftprep.check([{"prompt": "a", "completion": around.format(MADE[kind])}], {"rules": {"select": ["SEC101"]}})
    assert [f.message.startswith(f"the text holds 1 {kind}: ") for f in report.findings] == [True]


SOUND = {
    "SEC101": [
        *("sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE", "YOUR_API_KEY", "sk-your-key-here"),
        *(
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "task-management-and-everything-else-there-is",
            "risk-" + "a" * 40,
        ),
        *(
            "snake_case_identifier_that_is_very_long_indeed",
            "hf_hub_download",
            "npm_config_registry",
            "sk-learn",
            "eyJ",
        ),
    ],
    "SEC102": [
        "-----BEGIN PRIVATE " + "KEY-----",
        "-----BEGIN PUBLIC KEY-----\n" + rnd(AN, 64),
        "-----BEGIN RSA PRIVATE KEY-----\n...\n",
    ],
    "SEC103": [
        "https://user:password@host/",
        "http://a.b/c:d@e",
        "ftp://me@example.com",
        "https://x:$TOKEN@github.com",
    ],
    "SEC104": ['password = "correct-horse-battery"', 'token: "your_token_here1"', "password = input()"],
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in SOUND.items() for text in texts])
def test_what_is_sound(code: str, text: str) -> None:
    assert ftprep.check([{"prompt": "a", "completion": text}], {"rules": {"select": [code]}}).counts() == {}


@pytest.mark.parametrize("form", ["full", "concise", "json", "json-lines", "github"])
def test_no_output_shows_a_secret(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is printed holds no secret, and no more than six of its characters in a row."""
    path, secrets = (
        tmp_path / "set.jsonl",
        [*MADE.values(), PRIVATE, URL_PASSWORD, "ann.lee@lima-water.pe", "4539148803436467"],
    )
    texts = [*secrets[:-3], f"postgres://app:{URL_PASSWORD}@db.lima-water.pe/x", *secrets[-2:]]
    rows = [{"prompt": f"Where, number {i}? ->", "completion": f" here: {text} END"} for i, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    chosen = ["--select", "TXT", "--select", "PII", "--select", "SEC"]
    main(["check", str(path), "--no-progress", "--output-format", form, *chosen])
    out = "".join(capsys.readouterr())
    assert "SEC101" in out or "api-key" in out
    for secret in secrets:
        assert secret not in out
        assert secret[4:12] not in out or secret == PRIVATE
    assert PRIVATE[40:100] not in out


def test_hidden_text() -> None:
    key = MADE["GitHub token"]
    assert key not in hidden(f"use {key} here")
    assert hidden("nothing to hide") == "nothing to hide"


NEAR = [
    "sk-",
    "sk-aaaaaaaaaaaaaaaaaaaaaa ",
    "_aaaaaaaaaaaaaaaaaaaaaa",
    "eyJ",
    "AIza",
    "://a:b@",
    "-----BEGIN PRIVATE KEY-----",
    "a@b",
    "M",
]


@pytest.mark.parametrize("piece", NEAR)
def test_a_megabyte_of_near_misses_is_looked_at_fast(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    for rule in find("SEC"):
        assert isinstance(rule, Private)
        start = time.process_time()
        list(rule.look(text))
        assert time.process_time() - start < 10, rule.card.code


def test_two_keys_of_a_kind_are_one_finding() -> None:
    first, second = "ghp_" + rnd(AN, 36), "ghp_" + rnd(AN, 36)
    assert [f.message.split(":")[0] for f in ApiKey().look(f"{first} {second}")] == ["the text holds 2 GitHub tokens"]


def test_no_other_rule_shows_a_secret_either(tmp_path: Path) -> None:
    secret = "sk-proj-" + "Ab3dEf6hIj9k" * 4
    row = {"prompt": f"key {secret}<|endoftext|> ->", "completion": 5, "other": {"a": secret}}
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps({**row, "completion": f"{secret}<|im_end|>"}) + "\n")
    report = ftprep.check(path, rules={"select": ["ALL"]})
    assert {"TOK101", "FMT121"} <= set(report.counts())
    assert secret not in report.to_json()
    assert secret[:20] not in report.to_json()
