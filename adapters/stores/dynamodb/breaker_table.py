"""The table `circuit-breaker-state`: one row a process and service, which expires with it."""

from typing import Any, Final

from adapters.stores.dynamodb.table import BILLING, Form, key_schema

NAME: Final = "circuit-breaker-state"
KEY: Final = ("service_name",)
#: A living process publishes each row twice a minute; a dead one's goes after this.
LIFETIME_S: Final = 600


def definition(name: str = NAME) -> dict[str, Any]:
    """Return what CreateTable takes."""
    return {
        "TableName": name,
        "BillingMode": BILLING,
        "KeySchema": key_schema(KEY),
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in KEY],
    }


FORM: Final = Form(KEY, {}, definition)
