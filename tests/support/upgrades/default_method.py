"""Which start method is used if the program names none, and what does its worker see of the parent's values?"""

import multiprocessing

value = "default"


def work():
    print(multiprocessing.get_start_method(), value)


if __name__ == "__main__":
    value = "set by the parent"
    process = multiprocessing.Process(target=work)
    process.start()
    process.join()
