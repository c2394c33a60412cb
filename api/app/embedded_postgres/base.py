"""Django's database back end for the embedded server, which starts with the first connection."""

from typing import Any

from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresDatabaseWrapper

from app import embedded_postgres


class DatabaseWrapper(PostgresDatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            embedded_postgres.start(self.settings_dict["FOLDER"])
        except embedded_postgres.EmbeddedPostgresError as error:
            raise OperationalError(str(error)) from error
        return super().get_new_connection(conn_params)
