"""Language models as players of bandits: told a story, asked on every free visit which machine they play."""

from toolkit.models.playing.asking import Game, estimate, first_requests, play
from toolkit.models.playing.prompts import Player, Rules

__all__ = ["Game", "Player", "Rules", "estimate", "first_requests", "play"]
