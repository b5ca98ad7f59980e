"""A module whose import takes as long as its importer wants."""

import import_lock

import_lock.importing.set()
import_lock.let_go.wait()
