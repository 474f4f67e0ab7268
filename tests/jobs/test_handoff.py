"""Providers that take no job from here: the file in their form, whole or not at all, and commands for that file."""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from job_samples import training_file

from ftprep.__main__ import main
from ftprep.errors import UsageError
from ftprep.jobs.handoff import Wanted, hand_on, target_for
from ftprep.rules.tool import matches
from ftprep.targets import find_target

pytest_plugins = ("job_fixtures",)
pytestmark = pytest.mark.usefixtures("own_place")

Run = Callable[..., tuple[int, str, str]]
VERTEX = ("--provider", "vertex", "--model", "gemini-2.5-flash")
NOVA = ("--provider", "bedrock", "--model", "amazon.nova-lite-v1:0:300k")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str, file: str = "train.jsonl") -> tuple[int, str, str]:
        code = main(["jobs", "submit", file, *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.mark.parametrize(
    ("provider", "model", "written", "keys", "commands"),
    [
        ("vertex", "gemini-2.5-flash", "train_vertex.jsonl", {"contents"}, ("gcloud storage cp", "epochCount")),
        (
            "bedrock",
            "amazon.nova-lite-v1:0:300k",
            "train_bedrock-nova.jsonl",
            {"schemaVersion", "messages"},
            ("aws s3 cp", "create-model-customization-job", "epochCount=2"),
        ),
        (
            "aws",
            "meta.llama3-1-8b-instruct-v1:0",
            "train_bedrock-llama.jsonl",
            {"prompt", "completion"},
            ("aws s3 cp", "epochCount=2"),
        ),
        ("mistral", "open-mistral-7b", "", {"messages"}, ("taken jobs out",)),
    ],
)
def test_the_file_is_written_in_their_form_and_the_commands_are_for_it(
    run: Run, provider: str, model: str, written: str, keys: set[str], commands: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text("".join(training_file(tmp_path, f"otter {i}").read_text() for i in range(10)), encoding="utf-8")
    arguments = ("--provider", provider, "--model", model, "--epochs", "2")
    code, out, err = run(*arguments)
    assert code == 0, err
    records = [json.loads(line) for line in Path(written or "train.jsonl").read_text().splitlines()]
    assert len(records) == 120
    assert set(records[0]) == keys
    for each in (*commands, written):
        assert each in out
    copied = [shlex.split(line)[-2] for line in out.splitlines() if " cp " in line]
    assert copied == ([written] if commands[0] in ("aws s3 cp", "gcloud storage cp") else [])
    assert json.loads(run(*arguments, "--output-format", "json")[1])["files"] == [written or "train.jsonl"]
    assert main(["check", written or "train.jsonl", "--target", f"{target_for(provider, model, None).selector}"]) == 0
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left == sorted({"train.jsonl", *([written, written[:-6] + ".manifest.json"] if written else [])})
    assert not written or main(["verify", written[:-6] + ".manifest.json"]) == 0


def test_what_is_to_be_run_is_safe_for_the_shell(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "my $(touch x) data"
    folder.mkdir()
    training_file(folder, name="it's a set.jsonl")
    code, out, _ = run(*VERTEX, file="my $(touch x) data/it's a set.jsonl")
    assert code == 0
    (copy,) = (line for line in out.splitlines() if line.startswith("gcloud storage cp"))
    name = "my $(touch x) data/it's a set_vertex.jsonl"
    assert shlex.split(copy)[3:] == [name, "gs://BUCKET/it's a set_vertex.jsonl"]
    assert (tmp_path / name).is_file()


def test_the_file_for_validation_is_converted_too(run: Run, tmp_path: Path) -> None:
    training_file(tmp_path)
    (tmp_path / "valid.jsonl").write_text(
        training_file(tmp_path, "heron", "h.jsonl").read_text().splitlines()[0] + "\n"
    )
    code, out, err = run(*NOVA, "--valid-file", "valid.jsonl")
    assert code == 0, err
    assert "validators=[{s3Uri=s3://BUCKET/valid_bedrock-nova.jsonl}]" in out
    assert json.loads(Path("valid_bedrock-nova.jsonl").read_text())["schemaVersion"]


def weighted(folder: Path) -> None:
    lines = training_file(folder).read_text().splitlines()
    record = json.loads(lines[3])
    record["messages"][1]["weight"] = 0
    record["messages"] += [{"role": "user", "content": "And?"}, {"role": "assistant", "content": "It dives."}]
    lines[3] = json.dumps(record)
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_what_cannot_be_carried_over_stops_it_with_one_line(dry: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    weighted(tmp_path)
    code, out, err = run(*VERTEX, *dry)
    assert (code, out) == (1, "")
    assert err.splitlines()[0].startswith("error: train.jsonl:4: ")
    assert "no place for the weight" in err
    assert "--lossy" in err
    assert [p.name for p in tmp_path.iterdir()] == ["train.jsonl"]
    code, out, err = run(*VERTEX, "--lossy", *dry)
    assert code == 0, err
    assert Path("train_vertex.jsonl").exists() is not bool(dry)
    assert ("nothing was written" in out) is bool(dry)


def test_the_same_command_twice_gives_the_same_and_a_file_of_somebody_else_stays(run: Run, tmp_path: Path) -> None:
    training_file(tmp_path)
    code, first, _ = run(*NOVA)
    code, again, _ = run(*NOVA)
    assert (code, again) == (0, first)
    assert run(*NOVA, "--dry-run")[1].splitlines()[-2:] == first.splitlines()[-2:]  # with the same token
    training_file(tmp_path, "heron")
    code, other, _ = run(*NOVA)
    assert code == 0
    assert "heron" in Path("train_bedrock-nova.jsonl").read_text()
    assert token(other) != token(first)
    assert token(run(*NOVA, "--epochs", "3")[1]) != token(other)
    Path("train_bedrock-nova.jsonl").write_text("mine\n", encoding="utf-8")
    code, out, err = run(*NOVA)
    assert (code, out) == (2, "")
    assert "is not what was made of train.jsonl before" in err
    assert Path("train_bedrock-nova.jsonl").read_text() == "mine\n"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".ftprep-")]


def test_a_file_of_the_same_name_and_another_kind_does_not_replace_it(run: Run, tmp_path: Path) -> None:
    training_file(tmp_path)
    assert run(*VERTEX)[0] == 0
    (tmp_path / "train.csv").write_text("prompt,completion\na ->, b\n", encoding="utf-8")
    before = Path("train_vertex.jsonl").read_bytes()
    code, _, err = run(*VERTEX, file="train.csv")
    assert code == 2
    assert "train_vertex.jsonl exists, and is not what was made of train.csv" in err
    assert Path("train_vertex.jsonl").read_bytes() == before


@pytest.mark.parametrize("model", ["llama-3.1-8b", "amazon.nova-lite-v1:0:300k"])
def test_a_table_becomes_jsonl_whatever_the_target_reads(model: str, run: Run, tmp_path: Path) -> None:
    rows = "".join(f"What is otter {i} doing? ->, It swims {i} rounds. END\n" for i in range(120))
    (tmp_path / "train.csv").write_text(f"prompt,completion\n{rows}", encoding="utf-8")
    code, out, err = run("--provider", "bedrock", "--model", model, file="train.csv")
    assert code == 0, err
    (written,) = tmp_path.glob("train_bedrock-*.jsonl")
    assert len([json.loads(line) for line in written.read_text().splitlines()]) == 120
    assert f"aws s3 cp {written.name} " in out


def test_preferences_are_written_as_such(run: Run, tmp_path: Path) -> None:
    answers = ({"role": "assistant", "content": word} for word in ("It dives.", "It flies."))
    good, bad = ([each] for each in answers)
    record = {"input": {"messages": [{"role": "user", "content": "What does an otter do?"}]}}
    (tmp_path / "train.jsonl").write_text(
        json.dumps(record | {"preferred_output": good, "non_preferred_output": bad}) + "\n", encoding="utf-8"
    )
    code, out, err = run(*VERTEX)
    assert code == 0, err
    assert "preferenceOptimizationSpec" in out
    assert set(json.loads(Path("train_vertex.jsonl").read_text())) == {"contents", "completions"}


def test_what_is_wrong_is_told_of_the_file_that_is_there(run: Run, tmp_path: Path) -> None:
    path = training_file(tmp_path)
    lines = path.read_text().splitlines()
    lines[6] = json.dumps({"messages": [*json.loads(lines[6])["messages"], {"role": "user", "content": "And then?"}]})
    path.write_text("\n".join(lines), encoding="utf-8")
    code, _, err = run(*VERTEX)
    assert code == 1
    assert err.startswith("error: train.jsonl, written as gemini, record 7: ")


def token(commands: str) -> str:
    return commands.partition("--client-request-token ")[2].split()[0]


def test_what_the_target_would_refuse_of_the_converted_file_stops_it(run: Run, tmp_path: Path) -> None:
    path = training_file(tmp_path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:5]), encoding="utf-8")
    code, out, err = run(*NOVA)
    assert (code, out) == (1, "")
    assert "wants at least 8" in err
    assert [p.name for p in tmp_path.iterdir()] == ["train.jsonl"]


def test_lossy_is_for_those_who_are_handed_files(run: Run, tmp_path: Path) -> None:
    training_file(tmp_path)
    code, _, err = run("--provider", "openai", "--model", "gpt-4o-mini", "--lossy", "--dry-run")
    assert code == 2
    assert "vertex, bedrock and mistral" in err


def test_a_model_that_nobody_knows_at_bedrock_asks_for_its_family(run: Run, tmp_path: Path) -> None:
    training_file(tmp_path)
    code, _, err = run("--provider", "bedrock", "--model", "anthropic.new")
    assert code == 2
    assert "bedrock-llama" in err
    assert run("--provider", "bedrock-nova", "--model", "anthropic.new")[0] == 0


HOSTILE = ("a" + "-" * 60, "a" * 60 + "!", "a" + "-" * 5000 + "_", "-a" * 3000 + "\n", "a_" * 31 + "!")


@pytest.mark.parametrize("name", ["bedrock-llama", "bedrock-nova", "bedrock-rft"])
@pytest.mark.parametrize("suffix", HOSTILE)
def test_a_hostile_name_ends_quickly(name: str, suffix: str) -> None:
    begun = time.process_time()
    with pytest.raises(UsageError):
        hand_on(find_target(name), Wanted("m", "supervised", Path("x.jsonl"), suffix=suffix, key="0" * 32))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("name", ["bedrock-llama", "bedrock-nova", "bedrock-rft"])
def test_the_patterns_of_names_are_those_of_the_source(name: str) -> None:
    import itertools

    theirs = {"name": r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*", "model_name": r"([0-9a-zA-Z][_-]?){1,63}"}
    for path, source in theirs.items():
        pattern = find_target(name).value(f"job.{path}_pattern")
        for letters in itertools.chain.from_iterable(itertools.product("aZ9-_.+ ", repeat=n) for n in range(5)):
            word = "".join(letters)
            assert matches(pattern, word) == bool(re.fullmatch(source, word)), (word, pattern)


@pytest.mark.parametrize(
    ("suffix", "fits"), [("my-x", True), ("", True), ("a.b", False), ("x--y", False), ("ü", False)]
)
def test_names_of_jobs_and_models(suffix: str, fits: bool) -> None:
    wanted = Wanted("m", "supervised", Path("x.jsonl"), suffix=suffix, key="0123456789abcdef")
    if not fits:
        with pytest.raises(UsageError, match="cannot be in the name"):
            hand_on(find_target("bedrock-nova"), wanted)
        return
    commands = " ".join(hand_on(find_target("bedrock-nova"), wanted).commands)
    assert f"--job-name {suffix or 'ftprep'}-01234567 " in commands
