"""A script starts a worker outside of `if __name__ == "__main__":`, and names no start method."""

import multiprocessing


def work():
    print("a worker")


process = multiprocessing.Process(target=work)
process.start()
process.join()
