"""The words of a text, as the search compares them: without numbers, endings and stop words."""

import re

WORD = re.compile(r"\w+")
NUMBER = re.compile(r"[0-9]+")
COUNTED = re.compile(r"_(?:[0-9][0-9a-f]*|[a-f])(?=_|$)")
"""The number in a name that a driver counts up, such as `_pg3_0` or `__asyncpg_stmt_1a__`."""

SUFFIX = re.compile(r"(?<=\w\w\w)(?:ing|ed|es|(?<!s)s|e)$")

STOP_WORDS = """
    a about after all already also always an and any are as at be because been before being but by can cannot
    could did do does doing for from get gets getting got had has have having how i if in into is it its just
    me my no not of off on one only or other our out over s so some such t than that the their them then there
    these they this to too up use used uses using was we were what when where which while who why will with
    without would you your different same new another every each between multiple several single applied
    visible working works work returns returned
    background call caused database databaseerror db error errors exc exception fail failed fails failure
    fatal file following handling interfaceerror internalerror issue last lib line most operationalerror
    package packages postgres postgresql problem programmingerror psycopg psycopg2 py python raise recent
    return runtimeerror self server site sqlalche sqlalchemy sql traceback typeerror valueerror warning
    attributeerror query worker workers process processes object http https e
    """
STOP = frozenset(STOP_WORDS.split())

CONTEXT_WORDS = """
    airflow app application celery child children connection connections engine fastapi flask fork forked
    forking gunicorn job jobs multiprocessing parent preload program rq subprocess task tasks uvicorn uwsgi
    """
"""Words for the place where it happens, which many reports name and which do not distinguish pages."""


def words(text: str) -> list[str]:
    """The words of a text, without numbers."""
    return [COUNTED.sub("_", word) for word in WORD.findall(text.lower()) if not NUMBER.fullmatch(word)]


def stem(word: str) -> str:
    """A word without its ending, so that `hangs` is found by `hang`."""
    return SUFFIX.sub("", word)


def stems(text: str) -> list[str]:
    """The stems of a text's words, each once, without stop words."""
    return list(dict.fromkeys(stem(word) for word in words(text) if word not in STOP))
