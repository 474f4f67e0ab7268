"""Rendering: an example as the text that is trained on, with what is learnt of it, what is cut, and what it takes."""

from ftprep.rendering.examples import Template, find_template, render, render_many
from ftprep.rendering.layouts import LAYOUTS
from ftprep.rendering.script import TRAIN, Train
from ftprep.rendering.template_run import TemplateStopped
from ftprep.rendering.values import MessageTokens, Rendered, Sample, Samples, Segment

__all__ = [
    "LAYOUTS",
    "TRAIN",
    "MessageTokens",
    "Rendered",
    "Sample",
    "Samples",
    "Segment",
    "Template",
    "TemplateStopped",
    "Train",
    "find_template",
    "render",
    "render_many",
]
