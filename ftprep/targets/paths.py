"""Which facts there are: the paths, the kind of value each takes, and what it means. Files are held to this table.

Kinds: `bool`, `count` (a whole number, 0 or more), `number`, `text`, `pattern` (a regular expression, searched for
unless anchored), `date`, `scalar` (a truth value, number or text), `texts`, `numbers` and `scalars` (lists of these);
`a|b` is one of these words, `texts:a|b` a list of them. `*` stands for one name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple


class Path(NamedTuple):
    """One path: `important` ones are named as not known where a target lacks them."""

    pattern: str
    kind: str
    means: str
    important: bool = False


SHAPES = "chat|completion|preference|unpaired|reinforcement|stepwise"
DIALECTS = (
    "openai-chat|openai-completion|openai-preference|openai-reinforcement|bedrock-reinforcement|unpaired|sharegpt"
    "|alpaca|swift|llama-factory-parts|llama-factory-images|anthropic|trl-prompt-completion|cohere|mistral|gemini"
    "|gemini-preference|converse|nova-preference|titan|trl-preference|trl-unpaired|trl-stepwise|llama-factory-dpo"
    "|llama-factory-kto|alpaca-dpo|text"
)
_METHODS = "supervised|dpo|kto|reinforcement"
_SEEN = "image_url|text|refusal|input_audio|file|thinking|image|video|reasoning"

PATHS: tuple[Path, ...] = (
    Path("methods", f"texts:{_METHODS}", "methods that the target trains by", True),
    Path("service.state", "local|deprecated|generic", "what the target is, where it is no open service"),
    Path("dates.*", "date", "last_new_job (from then on nobody can create a job), restricted, off, ..."),
    Path("file.extensions", "texts", "how the name of a file must end", True),
    Path("file.container", "texts:jsonl|json|csv|parquet", "forms of file that are read"),
    Path("file.encoding", "text", "encoding of the text"),
    Path("file.bom", "required|forbidden", "byte-order mark at the start of the file", True),
    Path("file.max_bytes", "count", "largest file", True),
    Path("file.warn_bytes", "count", "size above which it is doubtful whether the file is taken"),
    Path("file.upload_bytes", "count", "largest file for the simplest way to upload; larger ones go another way"),
    Path("file.min_rows", "count", "fewest examples of the training file", True),
    Path("file.max_rows", "count", "most examples of the training file", True),
    Path("file.warn_rows", "count", "number of examples above which older sources refuse the file"),
    Path("file.recommended_rows", "count", "examples with which the provider's advice begins"),
    Path("file.max_total_rows", "count", "most examples of training and validation together"),
    Path("file.min_total_rows", "count", "fewest examples of training and validation together"),
    Path("file.max_rows_times_epochs", "count", "most examples, counted once for each epoch"),
    Path("file.max_tokens_times_epochs", "count", "most tokens, counted once for each epoch"),
    Path(
        "file.validation", "required|optional|none", "whether a validation file is wanted; none: it is not used", True
    ),
    Path("file.validation_min_rows", "count", "fewest examples of the validation file"),
    Path("file.validation_max_rows", "count", "most examples of the validation file"),
    Path(
        "file.validation_max_share", "number", "most examples of the validation file, as a share of the training file"
    ),
    Path("file.validation_share_above", "count", "validation rows above which that share holds"),
    Path("file.validation_max_bytes", "count", "largest validation file"),
    Path("file.same_rows_in_both", "bool", "whether an example may stand in training and validation file"),
    Path("file.one_shape", "bool", "whether all rows of a file must be of one form"),
    Path("file.purpose", "text", "the `purpose` that the file is uploaded with"),
    Path("record.shape", SHAPES, "form of the examples that is wanted", True),
    Path("record.shapes", f"texts:{SHAPES}", "all forms that are taken, the wanted one first"),
    Path("record.dialects", f"texts:{DIALECTS}", "dialects that are read, the wanted one first", True),
    Path("record.keys", "texts", "keys that a record may have"),
    Path("record.required", "texts", "keys that a record must have"),
    Path("record.extra", "reject|ignore", "what happens to other keys", True),
    Path("record.reserved_keys", "texts", "keys that have a meaning; all others are the grader's"),
    Path("record.min_messages", "count", "fewest messages of an example"),
    Path("record.max_messages", "count", "most messages of an example"),
    Path("message.keys.*", "texts", "keys that a message of this role may have"),
    Path("message.required", "texts", "keys that every message must have"),
    Path("message.exact_keys", "bool", "whether a message has the required keys and no other"),
    Path("message.extra", "reject|ignore", "what happens to other keys of a message"),
    Path("roles.allowed", "texts", "roles that a message may have", True),
    Path("roles.first", "texts", "roles that may begin"),
    Path("roles.last", "texts", "roles that may end", True),
    Path("roles.required", "texts", "roles that must occur"),
    Path("roles.alternate", "bool", "whether user and assistant must take turns", True),
    Path("roles.even", "bool", "whether the number of turns after the system message must be even"),
    Path("roles.system_max", "count", "most system messages"),
    Path("roles.system_first", "bool", "whether a system message may only stand first"),
    Path("roles.deprecated", "texts", "roles that are taken still"),
    Path("roles.next.*", "texts", "roles that may follow this one"),
    Path("roles.names.*", "texts", "what the target calls this role in its own form"),
    Path("content.null", "never|with calls|always", "when the content of an assistant's message may be null"),
    Path("content.text_only", "bool", "whether content must be a string"),
    Path("content.parts", f"texts:{_SEEN}", "kinds of parts of a content that is a list"),
    Path("content.parts_of.*", f"texts:{_SEEN}", "kinds of parts for this role"),
    Path("content.refused", "texts", "kinds of parts that are refused by name"),
    Path("content.with_calls", "bool", "whether an assistant that calls tools may also have a content"),
    Path("name.pattern", "pattern", "what the `name` of a message must match", True),
    Path("weight.values", "numbers", "values that the weight of a message may have"),
    Path("weight.values_with_images", "numbers", "the same for examples with pictures"),
    Path("weight.level", "texts:message|row", "where a weight may stand"),
    Path("weight.roles", "texts", "roles whose messages may have a weight"),
    Path("weight.row_min", "number", "smallest weight of a row"),
    Path("weight.row_everywhere", "bool", "whether all rows must have a weight where one has"),
    Path("weight.last_not_zero", "bool", "whether the last assistant message must be trained on"),
    Path("tools.allowed", "bool", "whether examples may declare and call tools", True),
    Path("tools.where", "record|input", "where the list of tools stands"),
    Path("tools.max", "count", "most tools of an example"),
    Path("tools.required", "texts", "keys that the declaration of a function must have"),
    Path("tools.declared", "bool", "whether every tool that is called must be declared"),
    Path("tools.id_pattern", "pattern", "what the id of a call must match"),
    Path("tools.name_pattern", "pattern", "what the name of a function must match"),
    Path("tools.arguments", "string|object", "arguments of a call as JSON text or as an object"),
    Path("tools.results_match_calls", "bool", "whether each call must have its answer"),
    Path("tools.result_ids", "required|optional", "whether a tool's message must have a `tool_call_id`"),
    Path("tools.legacy", "deprecated|refused", "`functions` and `function_call`"),
    Path("reasoning.allowed", "bool", "whether examples may hold what the model thinks"),
    Path("reasoning.field", "texts", "keys under which that stands"),
    Path("reasoning.trained_turns", "last|all", "of which assistant turns it is learnt"),
    Path("reasoning.unrolled", "bool", "whether a talk of several turns becomes several examples, each billed"),
    Path("images.allowed", "bool", "whether examples may hold pictures"),
    Path("images.max_per_row", "count", "most pictures of an example", True),
    Path("images.max_bytes", "count", "largest picture", True),
    Path("images.warn_bytes", "count", "size above which it is doubtful whether a picture is taken"),
    Path("images.max_rows", "count", "most examples with pictures"),
    Path("images.types", "texts:jpeg|png|webp|gif", "kinds of pictures", True),
    Path("images.modes", "texts", "colour modes"),
    Path("images.min_pixels", "count", "smallest width and height"),
    Path("images.max_pixels", "count", "largest width and height"),
    Path("images.sources", "texts:http|data|s3|gs", "where a picture may be: address, data URL, bucket", True),
    Path("images.roles", "texts", "roles whose messages may hold pictures"),
    Path("images.detail", "texts", "values of `detail`"),
    Path("images.low_tokens", "count", "tokens of a picture with detail low"),
    Path("images.all_or_none", "bool", "whether all messages must be lists of parts where one is"),
    Path("images.skipped", "texts", "why an example with a picture is left out of training, in the provider's words"),
    Path("videos.max_per_row", "count", "most videos of an example"),
    Path("videos.max_bytes", "count", "largest video"),
    Path("videos.max_seconds", "count", "longest video"),
    Path("videos.types", "texts", "kinds of videos"),
    Path("media.exclusive", "bool", "whether pictures and videos must not stand in one file"),
    Path("media.same_bucket", "bool", "whether they must be in the bucket of the file"),
    Path("media.name_pattern", "pattern", "what the name of a media file must match"),
    Path("reserved.tokens", "texts", "control tokens that are refused in texts"),
    Path("reserved.words", "texts", "words that are refused in texts"),
    Path("reserved.where", "texts", "roles in whose texts"),
    Path("preference.output_messages", "count", "messages that each output has, exactly"),
    Path("preference.output_min_messages", "count", "messages that each output has at least"),
    Path("preference.output_roles", "texts", "roles in an output"),
    Path("preference.outputs", "count", "outputs of an example, exactly"),
    Path("preference.input_last", "texts", "roles that may end the input"),
    Path("preference.input_last_not", "texts", "roles that must not end the input"),
    Path("preference.input_first", "texts", "roles that may begin the input"),
    Path("preference.text_only", "bool", "whether pictures are refused"),
    Path("preference.scores", "numbers", "scores that tell the preferred output from the other"),
    Path("preference.labels", "texts", "labels that tell the preferred output from the other"),
    Path("preference.losses", "texts", "losses that can be chosen"),
    Path("preference.strategies", "texts", "names of the forms that a configuration can choose"),
    Path("reinforcement.last_role", "text", "role of the last message"),
    Path("reinforcement.grader_required", "bool", "whether a job needs a grader"),
    Path("reinforcement.graders", "texts", "kinds of graders"),
    Path("reinforcement.grader_models", "texts", "models that may grade"),
    Path("reinforcement.operations", "texts", "operations of string_check"),
    Path("reinforcement.metrics", "texts", "metrics of text_similarity"),
    Path("reinforcement.python_limits", "texts", "bounds of a python grader, in words"),
    Path("reinforcement.max_steps", "count", "most steps of a job"),
    Path("reinforcement.reward_min", "number", "smallest reward"),
    Path("reinforcement.reward_max", "number", "largest reward"),
    Path("reinforcement.references", "text", "key with the reference answer"),
    Path("reinforcement.spend_pause", "number", "US dollars of one job at which it pauses"),
    Path("limits.context", "count", "most tokens of one example", True),
    Path("limits.context_dpo", "count", "the same by the method dpo, where it then becomes limits.context"),
    Path("limits.default_context", "count", "tokens at which examples are cut where the job does not say otherwise"),
    Path("limits.input", "count", "most tokens of a prompt"),
    Path("limits.output", "count", "most tokens of a completion"),
    Path("limits.cut", "end|start", "which end of an example that is too long is cut off"),
    Path("limits.chars_per_token", "number", "characters a token, where the provider only estimates"),
    Path("params.*.type", "integer|number|text|boolean", "type of a hyperparameter"),
    Path("params.*.min", "number", "its smallest value"),
    Path("params.*.max", "number", "its largest value"),
    Path("params.*.min_exclusive", "number", "what it must be larger than"),
    Path("params.*.max_exclusive", "number", "what it must be smaller than"),
    Path("params.*.default", "scalar", "its value where none is given"),
    Path("params.*.auto", "bool", 'whether it may be "auto"'),
    Path("params.*.enum", "scalars", "the values that it may have"),
    Path("params.*.advice_min", "number", "smallest value by the provider's advice"),
    Path("params.*.advice_max", "number", "largest value by the provider's advice"),
    Path("params.*.refused", "bool", "whether it is refused now"),
    Path("params.*.pattern", "pattern", "what a text must match"),
    Path("epochs.rule", "text", "whose rule for the number of epochs follows", True),
    Path("epochs.target", "count", "epochs by that rule"),
    Path("epochs.min_examples", "count", "examples times epochs are raised to this"),
    Path("epochs.max_examples", "count", "examples times epochs are lowered to this"),
    Path("epochs.min", "count", "fewest epochs by that rule"),
    Path("epochs.max", "count", "most epochs by that rule"),
    Path("suffix.min", "count", "fewest characters of a suffix of the model's name"),
    Path("suffix.max", "count", "most characters"),
    Path("suffix.warn_max", "count", "characters above which some source refuses it"),
    Path("suffix.pattern", "pattern", "what it must match"),
    Path("metadata.max_pairs", "count", "pairs of metadata of a job"),
    Path("metadata.key_max", "count", "characters of a key"),
    Path("metadata.value_max", "count", "characters of a value"),
    Path("price.per_million", "number", "US dollars for a million training tokens", True),
    Path("price.per_hour", "number", "US dollars for an hour of training"),
    Path("price.hosting_per_hour", "number", "US dollars for an hour of a tuned model's deployment"),
    Path("price.minimum", "number", "US dollars that a job costs at least"),
    Path("price.rule", "text", "what is billed", True),
    Path("tokenizer.encoding", "text", "encoding of tiktoken"),
    Path("overhead.rule", "text", "name in ftprep.tokens.overheads.CHAT_RULES"),
    Path("overhead.tools_rule", "text", "name in ftprep.tokens.overheads.TOOL_RULES"),
    Path("job.statuses", "texts", "statuses of a job", True),
    Path("job.terminal", "texts", "those after which nothing more happens"),
    Path("job.paused", "texts", "those in which it waits for somebody"),
    Path("job.other_statuses", "texts", "statuses that clients meet besides"),
    Path("job.file_statuses", "texts", "statuses of a file"),
    Path("job.checkpoints_kept", "count", "checkpoints that are kept"),
    Path("job.safety_categories", "count", "categories in which the tuned model is tested afterwards"),
    Path("job.data_screened", "bool", "whether the data are screened when the job starts"),
    Path("job.from_checkpoint", "text", "how a model that is tuned on is named"),
    Path("job.name_max", "count", "most characters of a job's name"),
    Path("job.name_pattern", "pattern", "what a job's name must match"),
    Path("job.model_name_max", "count", "most characters of the tuned model's name"),
    Path("job.model_name_pattern", "pattern", "what the tuned model's name must match"),
    Path("job.token_max", "count", "most characters of the token that makes a request idempotent"),
    Path("job.client_ids", "bool", "whether the caller chooses the job's id, which makes a request idempotent"),
    Path("job.metadata", "bool", "whether a job carries metadata"),
    Path("job.types", "texts", "names of the methods in the provider's interface"),
    Path("job.validators_max", "count", "most validation sets"),
    Path("quota.files", "count", "files of a resource"),
    Path("quota.bytes", "count", "bytes of all files"),
    Path("quota.jobs", "count", "jobs in all"),
    Path("quota.running", "count", "jobs that run at once"),
    Path("quota.running_developer", "count", "developer-tier jobs that run at once"),
    Path("quota.queued", "count", "jobs that wait"),
    Path("quota.hours", "count", "hours of one job"),
    Path("quota.deployments", "count", "deployments of tuned models"),
    Path("quota.uploads_per_minute", "count", "uploads a minute"),
    Path("lora.max_rank", "count", "largest rank"),
    Path("lora.default_rank", "count", "rank where none is given"),
    Path("lora.ranks", "numbers", "ranks that there are"),
    Path("training.types", "texts", "values of the kind of training"),
    Path("training.full", "bool", "whether all weights can be tuned"),
    Path("training.regions", "texts", "regions in which jobs run"),
    Path("training.continued", "bool", "whether a tuned model can be tuned again"),
    Path("training.configurations", "texts", "names of the forms that a configuration can choose"),
    Path("training.trainers", "texts", "stable trainers of a library"),
    Path("defaults.*", "scalar", "what a trainer does where nothing is said, and what changes the data"),
)
"""All paths, in the order in which they are shown."""

DERIVED: tuple[Path, ...] = (
    Path("method.offered", "bool", "whether `methods` has the method (worked out)"),
    Path("model.known", "bool", "whether the model named is listed (worked out)"),
    Path("model.nearest", "texts", "listed names that are near (worked out)"),
    Path("model.methods", f"texts:{_METHODS}", "methods that the model is tuned by; `methods` of its table"),
)

_EXACT = {each.pattern: each for each in (*PATHS, *DERIVED) if "*" not in each.pattern}
_OPEN = tuple(
    (re.compile(each.pattern.replace(".", r"\.").replace("*", r"[^.]+")), each) for each in PATHS if "*" in each.pattern
)
_PLACES = {each.pattern: number for number, each in enumerate((*PATHS, *DERIVED))}
SECTIONS = tuple(dict.fromkeys(each.pattern.split(".")[0] for each in PATHS))
"""Names of the tables of a file that hold facts."""


def find_path(path: str) -> Path | None:
    """The entry of the table for a path, None where there is no such path."""
    return _EXACT.get(path) or next((each for pattern, each in _OPEN if pattern.fullmatch(path)), None)


def order_of(path: str) -> tuple[int, str, int]:
    """Where a path stands among the others: as in the table, but what is said of one hyperparameter together."""
    place = _PLACES[entry.pattern] if (entry := find_path(path)) else len(_PLACES)
    section, _, rest = path.partition(".")
    return (_PLACES["params.*.type"], rest.rpartition(".")[0], place) if section == "params" else (place, path, 0)


def nearest(word: str, words: Iterable[str]) -> str:
    """A hint that names the word that is nearest, or all where none is near."""
    known = list(words)
    near = difflib.get_close_matches(word, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


def nearest_path(path: str) -> str:
    """A hint that names the nearest path, or those of the same table."""
    section, _, name = path.partition(".")
    # In an open table (params.epochs.mim) the caller's own name stays.
    beside = [each.pattern for each in PATHS if each.pattern.split(".")[0] == section]
    if any("*" in each for each in beside):
        middle = name.rpartition(".")[0]
        beside = [each.replace("*", middle or "NAME", 1) for each in beside]
    return nearest(path, beside or [each.pattern for each in PATHS])
