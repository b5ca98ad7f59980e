"""Does a process authenticate itself to the fork server, and what part of the parent's work is that?

Prints how often a challenge is sent at each start, and the part of the parent's CPU time in `start()` that
challenge and answer take, as the median of 50 starts.
"""

import multiprocessing
import statistics
import time
from multiprocessing import connection

challenges = []
spent = [0.0]


def timed(function):
    def call(*arguments):
        began = time.thread_time()
        challenges.append(function.__name__)
        try:
            return function(*arguments)
        finally:
            spent[0] += time.thread_time() - began

    return call


def work():
    pass


if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["multiprocessing"])
    first = context.Process(target=work)
    first.start()
    first.join()
    connection.deliver_challenge = timed(connection.deliver_challenge)
    connection.answer_challenge = timed(connection.answer_challenge)
    shares = []
    for _ in range(50):
        spent[0], began = 0.0, time.thread_time()
        process = context.Process(target=work)
        process.start()
        shares.append(spent[0] / (time.thread_time() - began))
        process.join()
    print(challenges.count("deliver_challenge") / 50, f"{statistics.median(shares):.0%}")
