"""The one exception a user is meant to read."""


class PoolstartError(Exception):
    """Something the user can mend, told in one line: what is wrong, and what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = " ".join(problem.split())
        self.remedy = " ".join(remedy.split())
        super().__init__(f"{self.problem}; {self.remedy}" if remedy else self.problem)
