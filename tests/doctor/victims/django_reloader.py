"""`manage.py runserver`: the process that reloads and the one that serves both set up the application."""

import sys

from common import URL
from sqlalchemy import make_url


def show(request):
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("row")


if __name__ == "__main__" and len(sys.argv) == 1:
    from served import free_port, serve

    port = free_port()
    serve([sys.executable, __file__, "runserver", "--skip-checks", f"127.0.0.1:{port}"], port)
else:
    from django.conf import settings
    from django.core.management import execute_from_command_line
    from django.db import connection
    from django.http import HttpResponse
    from django.urls import path

    url = make_url(URL)
    settings.configure(
        DEBUG=True,
        ROOT_URLCONF=__name__,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.database,
                "USER": url.username,
                "HOST": url.host,
                "PORT": url.port,
                "CONN_MAX_AGE": None,
            }
        },
    )
    urlpatterns = [path("", show)]
    if __name__ == "__main__":
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        execute_from_command_line(sys.argv)
