"""The page `docs/lookalikes.md`."""

from harness.hazards import report
from harness.lookalikes import catalogue
from harness.lookalikes.lookalike import Lookalike

INTRODUCTION = """\
# Is it this problem at all?

Many failures have the messages of a [hazard](hazards.md) but another cause: no connection is in two
processes, and nothing was inherited. Then it does not help to treat the pool. Check this first:
"""


def render() -> str:
    """The page as Markdown."""
    return "\n".join([INTRODUCTION, first_look(), *map(section, catalogue.load_all())])


def first_look() -> str:
    """The observations that distinguish the causes, each with a link to its page."""
    lines = []
    for observation in catalogue.FIRST_LOOK:
        kind, _, name = observation.entry.partition(".")
        page = "hazards.md" if kind == "hazard" else ""
        lines.append(f"- {observation.look[0].upper()}{observation.look[1:]}: [{name}]({page}#{name})\n")
    return "".join(lines)


def section(lookalike: Lookalike) -> str:
    """The section of a look-alike."""
    messages = "; ".join(f"`{message}`" for message in lookalike.messages)
    return "\n".join(
        [
            f'<a id="{lookalike.id}"></a>\n',
            f"## {report.escaped(lookalike.title)} (`{lookalike.id}`)\n",
            f"**If** {lookalike.look_at}.\n",
            f"{report.escaped(lookalike.description)}\n",
            f"**Instead:** {report.escaped(lookalike.avoidance)}\n",
            *report.code(lookalike.fixes),
            f"Messages: {messages}\n",
            "See also:\n",
            report.links(lookalike.links),
        ]
    )
