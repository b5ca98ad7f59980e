"""What runs inside a measured process: its parent or one of its workers.

As small as can be: a worker pays for what is imported here. Never asv, rich, typer; pandas and SQLAlchemy
where they are used. `lifecycle` is measured, `trial` reproduces a hazard; in both, `program` is what the
interpreter is started with, `parent` what the parent does, `worker` what a worker does.
"""
