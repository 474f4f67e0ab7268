"""What providers and trainers accept: dated facts with their sources, one TOML file a target."""

from ftprep.targets.catalogue import find_target, target_names
from ftprep.targets.model import Fact, Message, Target

__all__ = ["Fact", "Message", "Target", "find_target", "target_names"]
