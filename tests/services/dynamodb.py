"""DynamoDB Local in memory. It does not expire items, and its own main class binds everywhere."""

from pathlib import Path
from typing import Final

from tests.services.downloads import compiled, java, maven
from tests.services.server import HOST, Launch, answers_http, free_ports

VERSION: Final = "2.6.1"
SOURCE: Final = Path(__file__).with_name("DdbLoopback.java")
HEAP: Final = "-Xmx512m"
#: It takes any.
KEYS: Final = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


def dynamodb(folder: Path) -> Launch:
    """Return how to start DynamoDB Local."""
    jars = maven("com.amazonaws", "DynamoDBLocal", VERSION)
    classes = compiled(SOURCE, f"{jars}/*")
    (port,) = free_ports(1)
    options = ("-inMemory", "-sharedDb", "-disableTelemetry")
    return Launch(
        command=(java(), HEAP, "-XX:+UseSerialGC", f"-Djava.library.path={jars}",
                 f"-Djava.io.tmpdir={folder}", "-cp", f"{classes}:{jars}/*", SOURCE.stem,
                 "-port", str(port), *options),
        environment={"DDB_LOCAL_TELEMETRY": "0", "AWS_REGION": "us-east-1"},
        ready=lambda: VERSION if answers_http(port) else None,
        settings={"DYNAMODB_ENDPOINT": f"http://{HOST}:{port}", **KEYS},
        limit_s=60.0,
    )  # fmt: skip
