"""Every setting in one table: environment variables with the prefix ``PARKWATT_``."""

from functools import cache
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.errors import SettingInvalid


class Settings(BaseSettings):
    """The settings; each is documented in docs/operation.md."""

    model_config = SettingsConfigDict(env_prefix="PARKWATT_", extra="ignore")

    home: Path = Field(
        default=Path("~/.local/share/parkwatt"),
        description="folder for what runs privately here: database, broker, logs",
    )
    database_url: str = Field(
        default="", description="PostgreSQL address; empty: the private database"
    )
    mqtt_host: str = Field(default="127.0.0.1", description="broker's host")
    mqtt_port: int = Field(
        default=0, ge=0, le=65535, description="broker's port; 0: the private broker"
    )
    mqtt_username: str = Field(default="", description="login at the broker")
    mqtt_password: str = Field(default="", description="password at the broker")
    mqtt_ca: str = Field(
        default="", description="file of the broker's authority; set: TLS is used"
    )
    mqtt_cert: str = Field(
        default="", description="file of ingest's certificate, where the broker asks"
    )
    mqtt_key: str = Field(default="", description="file of the certificate's key")
    mqtt_client_id: str = Field(
        default="parkwatt-ingest", description="fixed session name of ingest"
    )
    mqtt_share: str = Field(
        default="",
        description="shared-subscription group, when several ingests share the load",
    )
    mqtt_topic: str = Field(
        default="parkwatt/v1/#", description="topic filter that ingest subscribes to"
    )
    batch_messages: int = Field(
        default=1000,
        ge=1,
        le=16000,
        description="most messages in one transaction; the receive maximum is four times it",
    )
    batch_seconds: float = Field(
        default=0.1, gt=0, le=10, description="longest wait before a batch is written"
    )
    payload_bytes: int = Field(
        default=262144, ge=64, description="largest payload that is read"
    )
    unconfirmed_meters: int = Field(
        default=1000,
        ge=0,
        description="most meters of one enterprise that may wait for confirmation",
    )
    api_host: str = Field(
        default="127.0.0.1", description="address the API listens on; loopback only"
    )
    api_port: int = Field(
        default=8600, ge=0, le=65535, description="port the API listens on"
    )
    minimum_coverage: float = Field(
        default=0.95,
        ge=0,
        le=1,
        description="known share below which a peak or a figure is not published",
    )
    grafana_url: str = Field(default="", description="Grafana's address")
    grafana_token: str = Field(default="", description="Grafana service-account token")
    grafana_database_url: str = Field(
        default="",
        description="database address for Grafana's data source, with a login that "
        "may read schema grafana only",
    )

    @property
    def folder(self) -> Path:
        """The home folder as an absolute path."""
        return self.home.expanduser().absolute()


@cache
def settings() -> Settings:
    """Read the settings from the environment, once.

    Raises
    ------
    SettingInvalid
        Naming the variable and what is wrong with it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "PARKWATT_" + str(first["loc"][0]).upper()
        raise SettingInvalid(f"{name}: {first['msg']}") from error
