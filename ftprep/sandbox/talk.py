"""Chat and text completions: what a stand-in says, in OpenAI's words."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

from ftprep.errors import UsageError
from ftprep.sandbox.decoding import Sequences, Wish, Written, write
from ftprep.sandbox.examples import asked
from ftprep.sandbox.house import Call, House, Reply, new_id
from ftprep.sandbox.models import Models, Speaker
from ftprep.sandbox.problems import bad
from ftprep.tokens import Counter, encoding, encoding_for_model

MOST_ANSWERS = 256
"""Answers of a classifier that are written out; the others share what is left."""


class Talk:
    """The handlers of the two completion routes."""

    def __init__(self, house: House, models: Models) -> None:
        self.house, self.models = house, models

    def chat(self, call: Call) -> Reply:
        """POST /chat/completions"""
        body = call.json
        speaker = self._speaker(call, chat=True)
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(each, dict) for each in messages):
            raise bad("'messages' must be a list of one message or more", "messages")
        wants_logprobs, top = body.get("logprobs", False), _whole(body, "top_logprobs", 0, 0, 20)
        if top and wants_logprobs is not True:
            raise bad("'top_logprobs' needs 'logprobs': true", "top_logprobs")
        limit = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
        voice = _Voice(speaker, self._wish(body, speaker, limit, None, top), body)
        written = voice.write(asked(messages), _whole(body, "n", 1, 1, 128))
        choices: list[dict[str, Any]] = []
        for at, each in enumerate(written):
            message: dict[str, Any] = {"role": "assistant", "content": each.text, "refusal": None}
            calls = speaker.calls(each.text) if each.whole else []
            if calls:
                message |= {"content": None, "tool_calls": calls}
            choice = {"index": at, "message": message, "finish_reason": "tool_calls" if calls else each.finish}
            choices.append({**choice, "logprobs": _chat_logprobs(each) if wants_logprobs is True else None})
        usage = voice.usage([asked(messages)], written)
        reply = self._reply("chatcmpl-", "chat.completion", speaker, choices, usage)
        return _streamed(reply, _chat_deltas) if body.get("stream") is True else Reply(reply)

    def complete(self, call: Call) -> Reply:
        """POST /completions"""
        body = call.json
        speaker = self._speaker(call, chat=False)
        top = _whole(body, "logprobs", None, 0, 5)
        voice = _Voice(speaker, self._wish(body, speaker, "max_tokens", 16, top or 0), body)
        prompts = voice.prompts(body.get("prompt"))
        choices: list[dict[str, Any]] = []
        all_written: list[Written] = []
        count = _whole(body, "n", 1, 1, 128)
        for prompt in prompts:
            for each in voice.write(prompt, count):
                all_written.append(each)
                echo = prompt if body.get("echo") is True else ""
                choice = {"index": len(choices), "text": echo + each.text, "finish_reason": each.finish}
                choices.append({**choice, "logprobs": None if top is None else _text_logprobs(each, len(echo))})
        usage = voice.usage(prompts, all_written)
        reply = self._reply("cmpl-", "text_completion", speaker, choices, usage)
        return _streamed(reply, _text_deltas) if body.get("stream") is True else Reply(reply)

    def _speaker(self, call: Call, chat: bool) -> Speaker:
        name = call.names.get("deployment") or call.json.get("model")
        if not isinstance(name, str) or not name:
            raise bad("you must provide a model parameter", "model", "missing_required_parameter")
        return self.models.speaker(name, chat)

    def _wish(self, body: Mapping[str, Any], speaker: Speaker, limit: str, default: int | None, top: int) -> Wish:
        stop = body.get("stop")
        stops = [stop] if isinstance(stop, str) else stop or []
        if not isinstance(stops, list) or len(stops) > 4 or not all(isinstance(each, str) and each for each in stops):
            raise bad("'stop' must be a string or a list of at most 4 strings", "stop")
        most = _whole(body, limit, default, 1, 1_000_000)
        temperature, top_p = _number(body, "temperature", 1.0, 2.0), _number(body, "top_p", 1.0, 1.0)
        bias = body.get("logit_bias") or {}
        if not isinstance(bias, dict):
            raise bad("'logit_bias' must be an object from token ids to numbers", "logit_bias")
        return Wish(most, tuple(stops), temperature, top_p, top, _bias(bias, speaker))

    def _reply(self, prefix: str, kind: str, speaker: Speaker, choices: list[Any], usage: Any) -> dict[str, Any]:
        print_of = f"sandbox {speaker.says}"
        about = {"id": new_id(prefix), "object": kind, "created": self.house.now, "model": speaker.name}
        return {**about, "system_fingerprint": print_of, "choices": choices, "usage": usage}


class _Voice:
    """A speaker with its encoding."""

    def __init__(self, speaker: Speaker, wish: Wish, body: Mapping[str, Any]) -> None:
        self._speaker, self._wish = speaker, wish
        self._counter, self._encoding = Counter(_encoding_of(speaker)), encoding(_encoding_of(speaker))
        seed = _whole(body, "seed", None, -(1 << 63), 1 << 63)
        self._rng = random.Random(seed) if seed is not None else random.SystemRandom()  # noqa: S311

    def prompts(self, prompt: Any) -> list[str]:
        """The prompts of a request: a text, tokens, or a list of either."""
        if prompt is None:
            return [""]
        many = prompt if isinstance(prompt, list) and not all(isinstance(each, int) for each in prompt) else [prompt]
        return [self._prompt(each) for each in many]

    def _prompt(self, prompt: Any) -> str:
        if isinstance(prompt, str):
            return prompt
        if isinstance(prompt, list) and prompt and all(isinstance(each, int) for each in prompt):
            try:
                return self._encoding.decode(prompt)
            except (KeyError, OverflowError):
                raise bad("'prompt': there is no such token", "prompt") from None
        raise bad("'prompt' must be a string, a list of strings, of tokens, or of lists of tokens", "prompt")

    def write(self, question: str, count: int) -> list[Written]:
        """Answers to one question."""
        whole = self._speaker.answers(question)[:MOST_ANSWERS]
        answers: Sequences = [(tuple(self._counter.split(text)), p) for text, p in whole]
        return [write(answers, self._wish, self._rng) for _ in range(count)]

    def usage(self, questions: list[str], written: list[Written]) -> dict[str, int]:
        """Tokens read and written."""
        read, made = sum(self._counter.count(questions)), sum(len(each.tokens) for each in written)
        return {"prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made}


def _encoding_of(speaker: Speaker) -> str:
    """The encoding that a model counts in; for models of others, the common one stands in."""
    try:
        return encoding_for_model(speaker.base).encoding
    except UsageError:
        return "o200k_base"


def _bias(bias: Mapping[str, Any], speaker: Speaker) -> dict[bytes, float]:
    if not bias:
        return {}
    known = encoding(_encoding_of(speaker))
    found = {}
    for token, value in bias.items():
        try:
            found[known.decode_single_token_bytes(int(token))] = float(value)
        except (KeyError, ValueError, TypeError, OverflowError):
            raise bad(f"'logit_bias': {token!r} is no token, or {value!r} no number", "logit_bias") from None
    return found


def _whole(body: Mapping[str, Any], key: str, default: Any, least: int, most: int) -> Any:
    value = body.get(key)
    if value is None or (key == "logprobs" and value is False):
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise bad(f"Invalid '{key}': an integer from {least} to {most} is wanted, got {value!r}.", key)
    return value


def _number(body: Mapping[str, Any], key: str, default: float, most: float) -> float:
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise bad(f"Invalid '{key}': a number from 0 to {most:g} is wanted, got {value!r}.", key)
    return float(value)


def _chat_logprobs(written: Written) -> dict[str, Any]:
    def shown(data: bytes, logprob: float) -> dict[str, Any]:
        return {"token": data.decode("utf-8", "replace"), "logprob": logprob, "bytes": list(data)}

    content = [
        {**shown(each.data, each.logprob), "top_logprobs": [shown(*other) for other in each.top]}
        for each in written.tokens
    ]
    return {"content": content, "refusal": None}


def _text_logprobs(written: Written, start: int) -> dict[str, Any]:
    offsets, at = [], start
    for token in written.tokens:
        offsets.append(at)
        at += len(token.text)
    top = [{data.decode("utf-8", "replace"): lp for data, lp in each.top} for each in written.tokens]
    return {
        "tokens": [each.text for each in written.tokens],
        "token_logprobs": [each.logprob for each in written.tokens],
        "top_logprobs": top,
        "text_offset": offsets,
    }


def _streamed(reply: dict[str, Any], deltas: Any) -> Reply:
    """The same reply as server-sent events."""
    head = {key: value for key, value in reply.items() if key not in ("choices", "usage")}
    head["object"] = head["object"].removesuffix(".chunk") + (".chunk" if head["object"].startswith("chat") else "")
    events = [json.dumps({**head, "choices": [each]}) for choice in reply["choices"] for each in deltas(choice)]
    body = "".join(f"data: {each}\n\n" for each in (*events, "[DONE]"))
    return Reply(body.encode(), 200, "text/event-stream")


def _pieces(text: str | None) -> list[str]:
    return [text[at : at + 16] for at in range(0, len(text), 16)] if text else []


def _chat_deltas(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    at, message = choice["index"], choice["message"]
    first: dict[str, Any] = {"role": "assistant", "content": ""}
    if "tool_calls" in message:
        first["tool_calls"] = [{"index": i, **each} for i, each in enumerate(message["tool_calls"])]
    yield {"index": at, "delta": first, "logprobs": choice["logprobs"], "finish_reason": None}
    for piece in _pieces(message["content"]):
        yield {"index": at, "delta": {"content": piece}, "logprobs": None, "finish_reason": None}
    yield {"index": at, "delta": {}, "logprobs": None, "finish_reason": choice["finish_reason"]}


def _text_deltas(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for piece in _pieces(choice["text"]):
        yield {**choice, "text": piece, "logprobs": None, "finish_reason": None}
    yield {**choice, "text": ""}


ROUTES = (("POST", "/chat/completions", "chat"), ("POST", "/completions", "complete"))
DEPLOYED = tuple(("POST", f"/deployments/{{deployment}}{path}", name) for _, path, name in ROUTES)
"""Azure's older routes, which name the model in the path."""
