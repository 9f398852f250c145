"""Language models as learners: asked what they would answer on the trials that people had."""

from toolkit.models.answering.asking import answer, estimate, first_requests
from toolkit.models.answering.book import AnswerBook
from toolkit.models.answering.prompts import Procedure, Prompter
from toolkit.models.answering.stories import FEATURES, OBJECTS, WORDS, Story, likely_story, story_of
from toolkit.models.answering.tables import add_answers, played, read_answers

__all__ = [
    "FEATURES",
    "OBJECTS",
    "WORDS",
    "AnswerBook",
    "Procedure",
    "Prompter",
    "Story",
    "add_answers",
    "answer",
    "estimate",
    "first_requests",
    "likely_story",
    "played",
    "read_answers",
    "story_of",
]
