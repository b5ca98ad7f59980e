"""The pages `docs/claims.md` and `docs/claims.zh.md`: what is commonly said, and what was measured of it.

One `Claim` holds what is said, the answer, and the evidence it rests on. Figures and verdicts come from what
is recorded; an answer that the records contradict is not written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Protocol

from harness.answer import verdicts
from harness.answer.results import Report, answer
from harness.demos import catalogue as exhibits
from harness.demos import expected as exhibited
from harness.demos.expected import DemoProof
from harness.hazards.hazard import Verdict
from harness.lifecycles import metrics
from harness.pools import report as pools
from harness.pools.figures import PoolsTable
from harness.pools.report import median_iqr
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

LANGUAGES = ("en", "zh")

PAGES = {"en": "docs/claims.md", "zh": "docs/claims.zh.md"}

AFFECTED, SURVIVES = Verdict.AFFECTED, Verdict.SURVIVES

RIGHT, CONDITION, WRONG = "right", "condition", "wrong"

WORDS = {
    "en": {
        RIGHT: "Right",
        CONDITION: "Right with a condition",
        WRONG: "Wrong",
        AFFECTED: "**affected**",
        SURVIVES: "survives",
        "seen": "Measured",
        "missing": "not recorded yet",
        "none": "nothing large in the parent",
        "large": "a DataFrame of 512 MiB in the parent",
        "exhibit": 'exhibit $number, "$title" (`poolstart exhibit $number`)',
        "so often": ", the same $runs times of $runs",
        "affected by": "affected by $number of $all hazards",
        "pool": "the last of $workers workers of a pool has its row",
        "startup": "startup",
        "first row": "first row",
        "unique memory": "unique memory",
        "RSS": "RSS",
        "; ": "; ",
        ": ": ": ",
        ", ": ", ",
        ".": ".",
    },
    "zh": {
        RIGHT: "正确",
        CONDITION: "有条件地正确",
        WRONG: "不正确",
        AFFECTED: "**中招**",
        SURVIVES: "幸免",
        "seen": "实测",
        "missing": "尚未记录",
        "none": "父进程没有大块数据",
        "large": "父进程持有 512 MiB 的 DataFrame",
        "exhibit": "示例程序 $number (`poolstart exhibit $number`)",
        "so often": "\uff0c$runs 次运行结果全部一致",
        "affected by": "在 $all 种隐患中中招 $number 种",
        "pool": "$workers 个进程的进程池里最后一个进程取到首行",
        "startup": "启动耗时",
        "first row": "取到首行",
        "unique memory": "独占内存",
        "RSS": "RSS",
        "; ": "\uff1b",
        ": ": "\uff1a",
        ", ": "\uff0c",
        ".": "。",
    },
}
"""The words of each language."""

FULL_WIDTH = str.maketrans({"(": "\uff08", ")": "\uff09", ",": "\uff0c", ";": "\uff1b", ":": "\uff1a"})


def typeset(text: str, language: str) -> str:
    """Chinese with its full-width marks, except in code and in the targets of links.

    They are not in the texts themselves, where nobody could tell them from others.
    """
    if language != "zh":
        return text
    pieces = re.split(r"(`[^`]*`|\]\([^)]*\))", text)
    return "".join(
        piece if number % 2 else piece.translate(FULL_WIDTH) for number, piece in enumerate(pieces)
    )


class Records:
    """Everything that is recorded, as one reads it."""

    def __init__(self, results: Path = ROOT / "results") -> None:
        self.report: Report = answer(results)
        self.verdicts = verdicts.load()
        self.pools: PoolsTable | None = pools.load(pools.PATH)
        self.exhibited: list[DemoProof] = list(exhibited.load(exhibited.PATH).values())

    def verdict(self, hazard: str, strategy: str) -> Verdict | None:
        """Of the newest recorded release."""
        verdict = self.verdicts.verdict(hazard, strategy, self.verdicts.newest_release)
        return Verdict(verdict) if verdict else None

    @property
    def verdicts_setting(self) -> str:
        newest = self.verdicts.newest
        return str(newest.provenance) if newest else ""


class Evidence(Protocol):
    """Something recorded that an answer rests on."""

    def shown(self, records: Records, language: str) -> str:
        """As the page shows it. Raises `PoolstartError` where the records say otherwise."""


def contradiction(what: str) -> PoolstartError:
    return PoolstartError(
        f"the records contradict an answer: {what}", "correct the answer in harness/answer/claims.py"
    )


@dataclass(frozen=True)
class Hazard:
    """The verdict of a hazard on some strategies."""

    id: str
    expected: dict[str, Verdict]

    def shown(self, records: Records, language: str) -> str:
        words, parts = WORDS[language], []
        for strategy, expected in self.expected.items():
            verdict = records.verdict(self.id, strategy)
            if verdict is not None and verdict is not expected:
                raise contradiction(f"{self.id} under {strategy} is {verdict}, not {expected}")
            parts.append(f"`{strategy}` {words[verdict] if verdict else words['missing']}")
        return f"[{self.id}](hazards.md#{self.id}){words[': ']}{words[', '].join(parts)}"


@dataclass(frozen=True)
class Rising:
    """A figure that is smaller for one strategy than for the next."""

    column: str
    cells: tuple[tuple[str, str], ...]
    """Strategy and DataFrame setting, the smallest figure first."""

    def shown(self, records: Records, language: str) -> str:
        words = WORDS[language]
        (metric,) = (each for each in metrics.METRICS.values() if each.short == self.column)
        medians, parts = [], []
        for strategy, dataframe in self.cells:
            figure = records.report.figures.get((metric.id, strategy, dataframe))
            if figure is None:
                parts.append(f"`{strategy}` {words['missing']}")
                continue
            medians.append(figure.median)
            parts.append(f"`{strategy}` {figure.shown(metric)} {metric.display_unit} ({words[dataframe]})")
        if medians != sorted(medians):
            raise contradiction(f"{self.column} does not rise: {'; '.join(parts)}")
        return f"{words[self.column]}{words[': ']}{words[', '].join(parts)}"


@dataclass(frozen=True)
class LastRow:
    """How long a pool takes until all its workers have their rows; the quickest strategy first."""

    workers: int
    strategies: tuple[str, ...]

    def shown(self, records: Records, language: str) -> str:
        words, parts, medians = WORDS[language], [], []
        for name in self.strategies:
            cell = records.pools.cell(name, self.workers) if records.pools else None
            if cell is None or not cell.last:
                parts.append(f"`{name}` {words['missing']}")
                continue
            medians.append(sorted(cell.last)[len(cell.last) // 2])
            parts.append(f"`{name}` {median_iqr(cell.last, 1e3)} ms")
        if medians != sorted(medians):
            raise contradiction(f"the last row of a pool does not come later: {'; '.join(parts)}")
        what = Template(words["pool"]).substitute(workers=self.workers)
        return f"{what}{words[': ']}{words[', '].join(parts)}"


@dataclass(frozen=True)
class FewestHazards:
    """How many hazards affect each strategy; the first strategy has the fewest."""

    strategies: tuple[str, ...]

    def shown(self, records: Records, language: str) -> str:
        words, parts, numbers = WORDS[language], [], []
        for name in self.strategies:
            worst = records.verdicts.worst(name, records.verdicts.newest_release)
            if not worst.counted:
                parts.append(f"`{name}` {words['missing']}")
                continue
            numbers.append(worst.affecting)
            text = Template(words["affected by"]).substitute(number=worst.affecting, all=worst.counted)
            parts.append(f"`{name}` {text}")
        if numbers and numbers[0] != min(numbers):
            raise contradiction(f"{self.strategies[0]} has not the fewest hazards: {'; '.join(parts)}")
        return words[", "].join(parts)


@dataclass(frozen=True)
class Exhibited:
    """An exhibit in which everybody can see it."""

    number: int

    def shown(self, records: Records, language: str) -> str:
        exhibit = exhibits.get(str(self.number))
        words = WORDS[language]
        shown = Template(words["exhibit"]).substitute(number=exhibit.number, title=exhibit.title)
        if runs := [one.runs for one in records.exhibited if self.number in one.demos]:
            shown += Template(words["so often"]).substitute(runs=runs[0])
        return shown


@dataclass(frozen=True)
class Claim:
    """What is said, whether it holds, and why."""

    verdict: str
    said: dict[str, str]
    answer: dict[str, str]
    evidence: tuple[Evidence, ...]


FORKED, SPAWNED = "fork_dispose", "spawn"

CLAIMS = (
    Claim(
        RIGHT,
        {
            "en": "fork is fast, because nothing is loaded again.",
            "zh": "fork 很快,因为什么都不用重新加载。",
        },
        {
            "en": "By a factor of tens. It does grow with the parent's memory, since the page tables are"
            " copied.",
            "zh": "快几十倍。不过父进程占用的内存越多,fork 就越慢:页表是要复制的。",
        },
        (
            Rising("startup", ((FORKED, "none"), (FORKED, "large"), (SPAWNED, "none"))),
            LastRow(8, (FORKED, SPAWNED)),
        ),
    ),
    Claim(
        CONDITION,
        {"en": "fork is not safe.", "zh": "fork 不安全。"},
        {
            "en": "Not by itself. It is as safe as the moment of the fork: no other thread, no lock held, no"
            " transaction open, and the pool treated in the worker.",
            "zh": "fork 本身谈不上安全与否,要看 fork 的那一刻:没有别的线程、没有持有锁、没有未结束的事务,"
            "并且在子进程里处理好连接池,就是安全的。",
        },
        (
            Hazard("shared_socket", {"fork_nodispose": AFFECTED, FORKED: SURVIVES}),
            Hazard("inherited_lock", {FORKED: AFFECTED}),
            Hazard("lost_transaction", {FORKED: AFFECTED}),
        ),
    ),
    Claim(
        RIGHT,
        {"en": "fork does not copy the parent's threads.", "zh": "fork 不会复制父进程的其他线程。"},
        {
            "en": "Only the thread that forks goes on in the worker. What the others held stays held, and"
            " what they had half done stays half done.",
            "zh": "子进程里只剩调用 fork 的那个线程。其他线程持有的锁永远不会释放,做了一半的事永远停在一半。",
        },
        (Hazard("inherited_lock", {FORKED: AFFECTED}), Hazard("half_initialized", {FORKED: AFFECTED})),
    ),
    Claim(
        CONDITION,
        {
            "en": "fork is not compact: the child gets a DataFrame that it does not need.",
            "zh": "fork 不紧凑:子进程会得到它并不需要的 DataFrame。",
        },
        {
            "en": "It gets the addresses, not the memory. RSS counts the frame, but what is the worker's"
            " own stays small, smaller than a spawned worker's, until somebody touches Python objects in"
            " the frame.",
            "zh": "得到的是地址,而不是内存。RSS 会把 DataFrame 算进去,但子进程独占的内存很小,比 spawn 的还小;"
            "只有碰到其中的 Python 对象(哪怕只读)时才会逐页复制。",
        },
        (
            Rising("unique memory", ((FORKED, "large"), (SPAWNED, "large"))),
            Rising("RSS", ((SPAWNED, "large"), (FORKED, "large"))),
            Hazard("copied_frame", {FORKED: AFFECTED}),
            Exhibited(3),
        ),
    ),
    Claim(
        RIGHT,
        {"en": "spawn is fork followed by execve.", "zh": "spawn 就是 fork 之后再 execve。"},
        {
            "en": "strace shows it. The call is vfork today, which does not even copy the page tables, so"
            " that spawn does not slow with the parent's memory. The worker's stack begins at another"
            " address than its parent's: the program was replaced.",
            "zh": "用 strace 就能看到。如今调用的其实是 vfork,连页表都不复制,所以 spawn 不会随父进程内存变"
            "大而变慢。子进程的栈起始地址与父进程不同,说明程序已被替换。",
        },
        (Exhibited(1),),
    ),
    Claim(
        CONDITION,
        {"en": "spawn is safe, compact, and slower.", "zh": "spawn 安全、紧凑,但更慢。"},
        {
            "en": "Slower, yes. Safe for connections and locks, yes; it has hazards of its own. Compact"
            " only beside a worker that copies data: each spawned worker loads every library into memory"
            " of its own.",
            "zh": "更慢,没错。对连接和锁是安全的,但它有自己的隐患。说紧凑则要看跟谁比:每个 spawn 出来的进"
            "程都要把所有库再加载一份到自己的内存里。",
        },
        (
            Rising("first row", ((FORKED, "none"), (SPAWNED, "none"))),
            Rising("unique memory", ((FORKED, "none"), (SPAWNED, "none"))),
            Hazard("shared_socket", {SPAWNED: SURVIVES}),
            Hazard("module_frame", {SPAWNED: AFFECTED}),
        ),
    ),
    Claim(
        RIGHT,
        {
            "en": "Processes share no memory: what a worker changes, the parent does not see.",
            "zh": "进程之间不共享内存:子进程的修改,父进程看不到。",
        },
        {
            "en": "A worker that empties its pool leaves the parent's as it was. Descriptors are another"
            " matter: both refer to one socket, and bytes that one has read are gone for the other.",
            "zh": "子进程清空自己的连接池,父进程的池原样不动。文件描述符是另一回事:两边指向同一个套接字,"
            "一方读走的字节,另一方就再也读不到了。",
        },
        (Exhibited(6), Exhibited(5)),
    ),
    Claim(
        CONDITION,
        {
            "en": "To initialise once, in the parent, one needs fork.",
            "zh": "想在父进程里只初始化一次,就得用 fork。",
        },
        {
            "en": "For data of the parent, yes. For imports a fork server that preloads modules does it as"
            " well, as long as none of them connects when it is imported.",
            "zh": "如果是父进程里的数据,没错。如果只是导入模块,让 forkserver 预加载也可以,"
            "前提是这些模块在导入时不建立连接。",
        },
        (
            Hazard("module_frame", {FORKED: SURVIVES, SPAWNED: AFFECTED}),
            Rising("startup", (("forkserver_preload", "none"), (SPAWNED, "none"))),
            Hazard("preload_shared", {"forkserver": AFFECTED, SPAWNED: SURVIVES}),
        ),
    ),
    Claim(
        CONDITION,
        {
            "en": "With spawn one need not care about the rest.",
            "zh": "用了 spawn,其他的就不用操心了。",
        },
        {
            "en": "About the pool, no. But the program needs its guard, what stands at module level runs"
            " again in each worker, and what is handed over must pickle: an engine does not.",
            "zh": "连接池确实不用操心了。但主程序必须有 `__main__` 保护;模块顶层的代码会在每个子进程里再执"
            "行一遍;传给子进程的东西必须能 pickle,而 engine 不能。",
        },
        (
            Hazard("unguarded_main", {SPAWNED: AFFECTED}),
            Hazard("module_frame", {SPAWNED: AFFECTED}),
            Hazard("unpicklable", {SPAWNED: AFFECTED}),
            Exhibited(3),
        ),
    ),
    Claim(
        RIGHT,
        {
            "en": "Connections are descriptors: they stay valid across the fork, and nobody locks them.",
            "zh": "连接就是文件描述符:fork 之后仍然有效,而且没有人给它加锁。",
        },
        {
            "en": "The server sees one session where there are two programs.",
            "zh": "明明是两个程序,服务器却只看到一个会话。",
        },
        (Hazard("shared_socket", {"fork_nodispose": AFFECTED}), Exhibited(4)),
    ),
    Claim(
        RIGHT,
        {
            "en": "Each side has its own state of the pool, and both take the same connections for theirs.",
            "zh": "两边各有一份连接池状态,又都以为同样的连接是自己的。",
        },
        {
            "en": "And each copies the mistakes: a pool that was full at the fork stays full in the worker"
            " for ever.",
            "zh": "连错误也一并复制:fork 时池若已满,在子进程里就永远是满的。",
        },
        (
            Hazard("shared_socket", {"fork_nodispose": AFFECTED}),
            Hazard("exhausted_pool", {"fork_nodispose": AFFECTED, FORKED: SURVIVES}),
        ),
    ),
    Claim(
        CONDITION,
        {
            "en": "Some drivers notice the sharing, and close the connection.",
            "zh": "有些驱动会发现连接被共享,并把它关闭。",
        },
        {
            "en": "Drivers of PostgreSQL do less, luckily: psycopg2 leaves an inherited connection alone"
            " when it is thrown away by another process, and notices nothing in a query. A close that is"
            " asked for ends the parent's session. TLS does notice, by breaking.",
            "zh": "PostgreSQL 的驱动没有做这么多,这倒是好事:psycopg2 在别的进程里丢弃继承来的连接时不会去"
            "动它,查询时则毫无察觉。若明确要求关闭,断掉的就是父进程的会话。TLS 倒是会发现:它直接出错。",
        },
        (
            Hazard("parent_closed", {"fork_nodispose": AFFECTED, FORKED: SURVIVES}),
            Hazard("tls_broken", {"fork_nodispose": AFFECTED}),
        ),
    ),
    Claim(
        RIGHT,
        {"en": "Messages get torn.", "zh": "消息会被撕裂。"},
        {
            "en": "`Hel`, `loWor`, `ld` on a plain socket. On PostgreSQL's wire libpq takes letters of a"
            " value for the head of a message, and reports lost synchronization.",
            "zh": "在普通套接字上就是 `Hel`、`loWor`、`ld`。在 PostgreSQL 的协议里,libpq 会把某个值中间的"
            "字母当成消息头,然后报告 lost synchronization。",
        },
        (
            Hazard("torn_message", {"fork_nodispose": AFFECTED, FORKED: SURVIVES}),
            Hazard("interleaved", {"fork_nodispose": AFFECTED, FORKED: SURVIVES}),
            Exhibited(5),
        ),
    ),
    Claim(
        WRONG,
        {
            "en": "`close=False` gracefully removes the active connections.",
            "zh": "`close=False` 会优雅地移除活动的连接。",
        },
        {
            "en": "It forgets those that are checked in. One that is checked out it does not touch, and"
            " when the worker drops that one, the parent's transaction is rolled back. Nor does it close a"
            " descriptor.",
            "zh": "它只是忘掉池中闲置的连接。正被取出使用的连接它不会碰:子进程一旦丢弃这样的连接,父进程的"
            "事务就被回滚。它也不会关闭任何描述符。",
        },
        (
            Hazard("lost_transaction", {FORKED: AFFECTED, SPAWNED: SURVIVES}),
            Hazard("orphaned_backend", {FORKED: AFFECTED}),
            Exhibited(6),
        ),
    ),
    Claim(
        CONDITION,
        {
            "en": "Before forking, see that no lock is held.",
            "zh": "fork 之前,先确认没有锁被持有。",
        },
        {
            "en": "Good advice that can be followed in part. To be seen: your own locks by `locked()`, the"
            " number of threads by `threading.active_count()` (Python 3.12 warns when there are more than"
            " one). Not to be seen: locks inside libraries, and threads that Python did not start. A"
            " single thread is no cure when it holds the lock itself.",
            "zh": "建议很好,但只能做到一部分。能查的:自己的锁用 `locked()`,线程数用"
            " `threading.active_count()`(Python 3.12 起,多线程时 fork 会给出警告)。查不到的:各种库内部的锁"
            ",以及不是由 Python 启动的线程。只有一个线程也不保险:它自己就可能持有锁。",
        },
        (
            Hazard("own_lock", {FORKED: AFFECTED, SPAWNED: SURVIVES}),
            Hazard("inherited_lock", {FORKED: AFFECTED, SPAWNED: SURVIVES}),
            Exhibited(2),
        ),
    ),
    Claim(
        RIGHT,
        {"en": "The safest way is spawn.", "zh": "最安全的方式是 spawn。"},
        {
            "en": "By count of hazards, and those that are left strike at once and in the open, not once a"
            " month.",
            "zh": "按中招的隐患数确实如此;而且剩下的几种一运行就会暴露,不会几个月才冒出来一次。",
        },
        (FewestHazards((SPAWNED, "forkserver", "forkserver_preload", FORKED, "nullpool", "fork_nodispose")),),
    ),
)

FRAMES: dict[str, str] = {
    "en": """\
# Claims, answered

[中文](claims.zh.md)

What is commonly said of processes and connection pools in Python, in our own words, and what was measured of
it. A hazard is a failure that is provoked, under one way of starting workers after the other; an exhibit is a
small program that anybody can run. Written by `poolstart pages` from what is recorded.
""",
    "zh": """\
# 说法与回答

[English](claims.md)

关于 Python 的多进程与连接池,流传着不少说法。这里用我们自己的话逐条复述,并用实测来回答。
“隐患”是在各种启动方式下有意触发的故障;“示例程序”是任何人都能运行的小程序。
本页由 `poolstart pages` 根据已记录的结果生成。
""",
}

CLOSING: dict[str, Callable[[Records], str]] = {
    "en": lambda records: (
        f"Figures are medians ± half the interquartile range: {records.report.conditions}."
        f" Verdicts: {records.verdicts_setting or WORDS['en']['missing']}."
        f" Pools: {records.pools.provenance if records.pools else WORDS['en']['missing']}.\n"
    ),
    "zh": lambda records: (
        f"数字为中位数 ± 四分位距的一半 ({records.report.conditions})。"
        f"隐患的判定 ({records.verdicts_setting or WORDS['zh']['missing']})。"
        f"进程池 ({records.pools.provenance if records.pools else WORDS['zh']['missing']})。\n"
    ),
}


def render(language: str, results: Path = ROOT / "results") -> str:
    """One page; raises `PoolstartError` when an answer does not agree with the records."""
    records, words = Records(results), WORDS[language]
    parts = [typeset(FRAMES[language], language)]
    for number, claim in enumerate(CLAIMS, 1):
        seen = words["; "].join(each.shown(records, language) for each in claim.evidence)
        space = " " if language == "en" else ""
        parts += [
            f"## {number}. {typeset(claim.said[language], language)}\n",
            f"**{words[claim.verdict]}**{words['.']}{space}{typeset(claim.answer[language], language)}\n",
            f"{words['seen']}{words[': ']}{seen}{words['.']}\n",
        ]
    parts.append(CLOSING[language](records))
    return "\n".join(parts)
