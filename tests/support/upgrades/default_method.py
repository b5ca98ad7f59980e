"""Which start method is the default, and what does its worker see of the values that the parent has set?"""

import multiprocessing

value = "default"


def work():
    print(multiprocessing.get_start_method(), value)


if __name__ == "__main__":
    value = "set by the parent"
    process = multiprocessing.Process(target=work)
    process.start()
    process.join()
